"""Who would be asked right now, level by level, and what happens next to an alert?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts.models import Alert, Priority
from portal.domain.escalation import steps
from portal.domain.escalation.models import AlertEscalation
from portal.domain.escalation.steps import Rule
from portal.domain.escalation.targets import look
from portal.domain.oncall import queries as oncall
from portal.domain.oncall.models import Schedule


@dataclass(frozen=True)
class Turn:
    """One target of a level: who that is now. No person: the schedule has a gap, or they may not."""

    person: User | None
    schedule: Schedule | None  # none: the person is named directly
    until: datetime | None  # the end of an unbroken time; none: no end in sight
    next_at: datetime | None = None  # in a gap: when somebody is on call again
    next_person: User | None = None


@dataclass(frozen=True)
class Level:
    number: int  # 1, 2, …
    timeout_minutes: int
    turns: list[Turn]

    @property
    def is_empty(self) -> bool:
        return not any(turn.person for turn in self.turns)


@dataclass(frozen=True)
class NextStep:
    """What the timer will do, as far as one can know before."""

    at: datetime
    level: int
    names: list[str]  # who would be asked; nobody: the end of the policy


def levels(plan: Sequence[Rule], at: datetime) -> list[Level]:
    """What every level of the rules comes to at that moment."""
    return levels_of({0: plan}, at)[0]


def levels_of(plans: Mapping[int, Sequence[Rule]], at: datetime) -> dict[int, list[Level]]:
    """The same for the rules of many policies at once: everything is read once."""
    people, turns = _read([rule for plan in plans.values() for rule in plan], at)
    return {
        policy_id: [
            Level(
                number,
                rule.timeout_minutes,
                [
                    *(Turn(_who_may(people.get(id)), None, None) for id in rule.users),
                    *(turns[id] for id in rule.schedules if id in turns),
                ],
            )
            for number, rule in enumerate(plan, start=1)
        ]
        for policy_id, plan in plans.items()
    }


def next_step(alert: Alert, climb: AlertEscalation) -> NextStep | None:
    """When the timer rings and whom that will ask, if nobody acts before and no shift changes."""
    if climb.next_step_at is None:
        return None
    plan, at = climb.plan, climb.next_step_at
    following = steps.after(climb.position, levels=len(plan), repeats=climb.repeats)
    if following is None:
        return NextStep(at, climb.level, [])
    on_call = look(plan, at)
    step = steps.enter(
        plan,
        following,
        repeats=climb.repeats,
        is_low=alert.priority is Priority.LOW,
        who=on_call.asked,
        now=at,
    )
    return NextStep(at, step.position.level, on_call.names(step.asked))


def _read(rules: Sequence[Rule], at: datetime) -> tuple[dict[int, User], dict[int, Turn]]:
    """The people whom the rules can mean now, and whose turn it is in each of their schedules."""
    schedule_ids = {schedule_id for rule in rules for schedule_id in rule.schedules}
    in_schedule = oncall.on_call_now(schedule_ids, at)
    user_ids = {user_id for rule in rules for user_id in rule.users}
    user_ids |= {user_id for user_id in in_schedule.values() if user_id is not None}
    wanted = select(User).where(User.id.in_(user_ids))
    people = {person.id: person for person in db.session.scalars(wanted)}
    schedules = db.session.scalars(select(Schedule).where(Schedule.id.in_(schedule_ids)))
    return people, {
        schedule.id: _turn(schedule, people, in_schedule.get(schedule.id), at)
        for schedule in schedules
    }


def _turn(schedule: Schedule, people: dict[int, User], user_id: int | None, at: datetime) -> Turn:
    person = _who_may(people.get(user_id)) if user_id is not None else None
    if person is not None:
        return Turn(person, schedule, oncall.until(schedule.id, person.id, at))
    change = oncall.next_change(schedule.id, at)
    if change is None or change.user_id is None:
        return Turn(None, schedule, None)
    return Turn(None, schedule, None, change.at, db.session.get(User, change.user_id))


def _who_may(person: User | None) -> User | None:
    return person if person and person.can(Permission.RESPOND_TO_ALERTS) else None
