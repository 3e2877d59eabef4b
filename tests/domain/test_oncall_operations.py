"""What may people change about schedules, and does the past stay as it was?"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from portal.db import db
from portal.domain.accounts import operations as accounts
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Role
from portal.domain.audit.actions import AuditAction
from portal.domain.audit.models import AuditEntry
from portal.domain.oncall import calendar_links, operations, overrides, queries, static_shifts
from portal.domain.oncall.durations import Rotation
from portal.domain.oncall.exchanges import Part, Planned
from portal.domain.oncall.models import Override, Schedule, ScheduleType
from portal.domain.oncall.rules import Layer
from portal.errors import Conflict, Denied, Invalid, NotFound, PortalError
from tests.make import (
    make_account,
    make_override,
    make_policy,
    make_schedule,
    make_static_schedule,
    make_user,
)

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)  # a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Crew:
    """Ada and Bob take turns day by day, from midnight on; Eve and Uma are not in the schedule."""

    app: Flask
    schedule_id: int
    ada: int  # a responder
    bob: int  # a responder
    eve: int  # a responder
    uma: int  # a user
    admin: int
    stakeholder: int
    stranger: int  # an admin of another account

    def person(self, id: int) -> User:
        return db.session.get_one(User, id)

    def at(self, moment: datetime) -> int | None:
        """Who is on call then, asked anew."""
        return queries.on_call_now([self.schedule_id], moment)[self.schedule_id]


@pytest.fixture
def crew(app: Flask) -> Crew:
    with time_machine.travel(NOON - 10 * DAY, tick=False), app.app_context():
        account = make_account("Acme")
        ada, bob, eve = (make_user(account, name=name) for name in ("Ada", "Bob", "Eve"))
        schedule = make_schedule(
            ada, bob, name="Platform", rotation="P1D", starts_on="2026-05-20T00:00"
        )
        return Crew(
            app,
            schedule.id,
            ada.id,
            bob.id,
            eve.id,
            make_user(account, role=Role.USER, name="Uma").id,
            make_user(account, role=Role.ADMIN, name="Alma").id,
            make_user(account, role=Role.STAKEHOLDER, name="Stan").id,
            make_user(role=Role.ADMIN, name="Charlie").id,
        )


@pytest.fixture(autouse=True)
def noon() -> object:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def daily(*people: int) -> list[Layer]:
    return [Layer(datetime(2026, 5, 20), Rotation(days=1), people)]  # noqa: DTZ001


def refusal(deed: Callable[[], object]) -> PortalError:
    with pytest.raises(PortalError) as refused:
        deed()
    db.session.rollback()
    return refused.value


def audited(action: AuditAction) -> list[AuditEntry]:
    return list(db.session.scalars(db.select(AuditEntry).where(AuditEntry.action == action)))


def test_a_change_of_layers_leaves_the_past_and_can_wait(crew: Crew) -> None:
    days = [NOON + number * DAY for number in range(-5, 6)]
    with crew.app.app_context():
        before = [crew.at(day) for day in days]
        assert set(before) == {crew.ada, crew.bob}
        operations.change(
            crew.schedule_id,
            by=crew.person(crew.uma),
            name="Platform",
            shows_gaps=True,
            layers=daily(crew.eve),
            valid_from=NOON + 2 * DAY,
        )
        after = [crew.at(day) for day in days]
        assert after == [*before[:7], crew.eve, crew.eve, crew.eve, crew.eve]
        assert len(audited(AuditAction.SCHEDULE_CHANGED)) == 1


def test_a_newer_change_replaces_what_was_planned_later(crew: Crew) -> None:
    with crew.app.app_context():
        for layers, wait in ((daily(crew.eve), 5), (daily(crew.bob), 1)):
            operations.change(
                crew.schedule_id,
                by=crew.person(crew.uma),
                name="Platform",
                shows_gaps=True,
                layers=layers,
                valid_from=NOON + wait * DAY,
            )
        assert {crew.at(NOON + number * DAY) for number in range(1, 9)} == {crew.bob}


def test_a_change_cannot_begin_in_the_past(crew: Crew) -> None:
    with crew.app.app_context():
        problem = refusal(
            lambda: operations.change(
                crew.schedule_id,
                by=crew.person(crew.uma),
                name="Platform",
                shows_gaps=True,
                layers=daily(crew.eve),
                valid_from=NOON - HOUR,
            )
        )
        assert isinstance(problem, Invalid)
        assert problem.field == "valid_from"
        assert crew.at(NOON - HOUR / 2) != crew.eve


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "  "}, "name"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../etc/passwd"}, "time_zone"),
        ({"layers": []}, "layers"),
        ({"layers": daily()}, "layer-0-people"),
        ({"layers": daily(10**12)}, "layer-0-people"),
        ({"layers": daily(*[1] * 51)}, "layer-0-people"),
    ],
)
def test_nonsense_is_refused_at_its_field(
    crew: Crew, change: dict[str, object], field: str
) -> None:
    with crew.app.app_context():
        given = {"name": "New", "time_zone": "UTC", "layers": daily(crew.ada)} | change
        problem = refusal(
            lambda: operations.create(
                by=crew.person(crew.uma),
                type=ScheduleType.RECURRING,
                **given,  # type: ignore[arg-type]
            )
        )
        assert isinstance(problem, Invalid)
        assert problem.field == field


def test_stakeholders_and_strangers_are_not_put_on_call(crew: Crew) -> None:
    with crew.app.app_context():
        for outsider in (crew.stakeholder, crew.stranger):
            for deed in (
                lambda: overrides.add(
                    crew.schedule_id,
                    user_id=outsider,  # noqa: B023 - called at once
                    starts_at=None,
                    ends_at=NOON + HOUR,
                    by=crew.person(crew.uma),
                ),
                lambda: operations.create(
                    by=crew.person(crew.uma),
                    name="New",
                    type=ScheduleType.RECURRING,
                    time_zone="UTC",
                    layers=daily(outsider),  # noqa: B023 - called at once
                ),
            ):
                assert isinstance(refusal(deed), Invalid)


def test_two_schedules_of_an_account_have_two_names(crew: Crew) -> None:
    with crew.app.app_context():
        by = crew.person(crew.uma)
        taken = refusal(
            lambda: operations.create(
                by=by, name="Platform", type=ScheduleType.STATIC, time_zone="UTC"
            )
        )
        assert isinstance(taken, Conflict)


def test_a_deleted_schedule_takes_all_of_it_along(crew: Crew) -> None:
    with crew.app.app_context():
        schedule = db.session.get_one(Schedule, crew.schedule_id)
        make_override(schedule, crew.person(crew.ada), NOON, NOON + HOUR)
        calendar_links.create(crew.schedule_id, by=crew.person(crew.ada))
        operations.delete(crew.schedule_id, by=crew.person(crew.uma))
        assert queries.on_call_now([crew.schedule_id], NOON) == {}
        assert db.session.scalars(db.select(Override)).all() == []
        assert len(audited(AuditAction.SCHEDULE_DELETED)) == 1


def test_an_override_counts_from_now_and_ends(crew: Crew) -> None:
    with crew.app.app_context():
        made = overrides.add(
            crew.schedule_id,
            user_id=crew.eve,
            starts_at=None,
            ends_at=NOON + HOUR,
            by=crew.person(crew.eve),
        )
        assert made.starts_at == NOON
        assert (crew.at(NOON), crew.at(NOON + HOUR)) == (crew.eve, crew.ada)
        (entry,) = audited(AuditAction.OVERRIDE_CREATED)
        assert (entry.actor_name, entry.details["person"]) == ("Eve", "Eve")


@pytest.mark.parametrize(
    ("starts", "ends", "field"),
    [
        (-HOUR, HOUR, "starts_at"),
        (HOUR, HOUR, "ends_at"),
        (2 * HOUR, HOUR, "ends_at"),
        (HOUR, HOUR + 400 * DAY, "ends_at"),
        (800 * DAY, 801 * DAY, "starts_at"),
    ],
)
def test_an_override_lies_ahead_and_is_not_endless(
    crew: Crew, starts: timedelta, ends: timedelta, field: str
) -> None:
    with crew.app.app_context():
        problem = refusal(
            lambda: overrides.add(
                crew.schedule_id,
                user_id=crew.eve,
                starts_at=NOON + starts,
                ends_at=NOON + ends,
                by=crew.person(crew.eve),
            )
        )
        assert isinstance(problem, Invalid)
        assert problem.field == field


def test_who_types_this_minute_means_now(crew: Crew, noon: time_machine.Traveller) -> None:
    noon.shift(timedelta(seconds=40))
    with crew.app.app_context():
        made = overrides.add(
            crew.schedule_id,
            user_id=crew.eve,
            starts_at=NOON,
            ends_at=NOON + HOUR,
            by=crew.person(crew.eve),
        )
        assert made.starts_at == NOON + timedelta(seconds=40)


def test_responders_enter_and_remove_only_themselves(crew: Crew) -> None:
    def enter(whom: int, by: int) -> Override:
        return overrides.add(
            crew.schedule_id,
            user_id=whom,
            starts_at=None,
            ends_at=NOON + HOUR,
            by=crew.person(by),
        )

    with crew.app.app_context():
        assert isinstance(refusal(lambda: enter(crew.ada, crew.eve)), Denied)
        assert isinstance(refusal(lambda: enter(crew.eve, crew.stakeholder)), Denied)
        assert isinstance(refusal(lambda: enter(crew.eve, crew.stranger)), NotFound)
        of_ada = enter(crew.ada, crew.uma).id
        assert isinstance(
            refusal(lambda: overrides.remove(of_ada, by=crew.person(crew.eve))), Denied
        )
        assert isinstance(
            refusal(lambda: overrides.remove(of_ada, by=crew.person(crew.stranger))), NotFound
        )
        overrides.remove(of_ada, by=crew.person(crew.ada))
        assert db.session.get(Override, of_ada) is None


def test_a_running_override_ends_now_and_a_past_one_stays(
    crew: Crew, noon: time_machine.Traveller
) -> None:
    with crew.app.app_context():
        by = crew.person(crew.eve)
        made = overrides.add(
            crew.schedule_id, user_id=crew.eve, starts_at=None, ends_at=NOON + 3 * HOUR, by=by
        ).id
        noon.shift(HOUR)
        overrides.remove(made, by=by)
        assert (crew.at(NOON), crew.at(NOON + HOUR)) == (crew.eve, crew.ada)
        assert isinstance(refusal(lambda: overrides.remove(made, by=by)), Conflict)
        assert crew.at(NOON) == crew.eve


def test_whoever_takes_shifts_gets_just_those(crew: Crew) -> None:
    with crew.app.app_context():
        taken = overrides.take(
            crew.schedule_id,
            of_user_id=crew.bob,
            starts_at=NOON - 3 * DAY,
            ends_at=NOON + 4 * DAY,
            by=crew.person(crew.eve),
        )
        midnight = NOON - 12 * HOUR
        assert [(one.starts_at, one.ends_at) for one in taken] == [
            (midnight + DAY, midnight + 2 * DAY),
            (midnight + 3 * DAY, midnight + 4 * DAY),
        ]
        assert [crew.at(NOON + number * DAY) for number in range(4)] == [
            crew.ada,
            crew.eve,
            crew.ada,
            crew.eve,
        ]
        nothing = refusal(
            lambda: overrides.take(
                crew.schedule_id,
                of_user_id=crew.uma,
                starts_at=NOON,
                ends_at=NOON + DAY,
                by=crew.person(crew.eve),
            )
        )
        assert isinstance(nothing, Conflict)


def test_my_shifts_go_to_somebody_over_several_schedules(crew: Crew) -> None:
    with crew.app.app_context():
        uma = crew.person(crew.uma)
        other = make_schedule(uma, name="Database")
        mine = make_schedule(uma, name="Network")
        handed = overrides.hand_over(
            [other.id, mine.id, crew.schedule_id],
            to_user_id=crew.eve,
            starts_at=NOON,
            ends_at=NOON + DAY,
            by=crew.person(crew.uma),
        )
        assert {one.schedule_id for one in handed} == {other.id, mine.id}
        assert queries.on_call_now([other.id, mine.id], NOON + HOUR) == {
            other.id: crew.eve,
            mine.id: crew.eve,
        }


def test_two_people_swap(crew: Crew) -> None:
    midnight = NOON + 12 * HOUR
    bobs = Part(crew.schedule_id, crew.bob, midnight, midnight + DAY)
    adas = Part(crew.schedule_id, crew.ada, midnight + DAY, midnight + 2 * DAY)
    with crew.app.app_context():
        assert isinstance(
            refusal(lambda: overrides.swap(bobs, adas, by=crew.person(crew.ada))), Denied
        )
        overrides.swap(bobs, adas, by=crew.person(crew.uma))
        assert (crew.at(midnight), crew.at(midnight + DAY)) == (crew.ada, crew.bob)
        again = refusal(lambda: overrides.swap(bobs, adas, by=crew.person(crew.uma)))
        assert isinstance(again, Conflict)


def test_of_many_overrides_all_are_entered_or_none(crew: Crew) -> None:
    with crew.app.app_context():
        good = Planned(crew.schedule_id, crew.eve, NOON + HOUR, NOON + 2 * HOUR)
        bad = Planned(crew.schedule_id, crew.stakeholder, NOON + HOUR, NOON + 2 * HOUR)
        by = crew.person(crew.uma)
        refusal(lambda: overrides.enter_many(crew.schedule_id, [good, bad], by=by))
        assert db.session.scalars(db.select(Override)).all() == []


def test_static_shifts_do_not_overlap_and_end_when_removed(
    crew: Crew, noon: time_machine.Traveller
) -> None:
    with crew.app.app_context():
        by = crew.person(crew.uma)
        assert by.account is not None
        static = make_static_schedule(by.account)

        def add(whom: int, starts: timedelta | None, ends: timedelta) -> int:
            return static_shifts.add_shift(
                static.id,
                user_id=whom,
                starts_at=None if starts is None else NOON + starts,
                ends_at=NOON + ends,
                by=by,
            ).id

        first = add(crew.ada, None, 4 * HOUR)
        later = add(crew.bob, 4 * HOUR, 8 * HOUR)
        problem = refusal(lambda: add(crew.eve, 3 * HOUR, 5 * HOUR))
        assert "Ada has a shift" in str(problem) or "Bob has a shift" in str(problem)
        noon.shift(HOUR)
        static_shifts.remove_shift(first, by=by)
        static_shifts.remove_shift(later, by=by)
        asked = [queries.on_call_now([static.id], NOON + n * HOUR)[static.id] for n in (0, 1, 5)]
        assert asked == [crew.ada, None, None]
        assert isinstance(refusal(lambda: static_shifts.remove_shift(first, by=by)), Conflict)
        layered = refusal(
            lambda: static_shifts.add_shift(
                crew.schedule_id, user_id=crew.ada, starts_at=None, ends_at=NOON + DAY, by=by
            )
        )
        assert isinstance(layered, Conflict)


def test_who_is_deactivated_leaves_a_gap_but_was_on_call_then(
    crew: Crew, noon: time_machine.Traveller
) -> None:
    with crew.app.app_context():
        accounts.deactivate(crew.ada, by=crew.person(crew.admin))
        noon.shift(2 * HOUR)
        assert (crew.at(NOON - HOUR), crew.at(NOON + HOUR)) == (crew.ada, None)
        accounts.reactivate(crew.ada, by=crew.person(crew.admin))
        noon.shift(HOUR)
        hours = [crew.at(NOON + number * HOUR) for number in (-1, 1, 2, 3)]
        assert hours == [crew.ada, None, crew.ada, crew.ada]


def test_who_becomes_a_stakeholder_leaves_a_gap(crew: Crew) -> None:
    with crew.app.app_context():
        accounts.change_role(crew.ada, Role.STAKEHOLDER, by=crew.person(crew.admin))
        assert (crew.at(NOON - HOUR), crew.at(NOON)) == (crew.ada, None)
        accounts.change_role(crew.ada, Role.RESPONDER, by=crew.person(crew.admin))
        assert crew.at(NOON + HOUR) == crew.ada


def test_until_is_the_end_of_the_unbroken_time(crew: Crew) -> None:
    midnight = NOON + 12 * HOUR
    with crew.app.app_context():
        ask = queries.until
        assert ask(crew.schedule_id, crew.ada, NOON) == midnight
        assert ask(crew.schedule_id, crew.bob, NOON) == NOON  # not on call at all
        schedule = db.session.get_one(Schedule, crew.schedule_id)
        make_override(schedule, crew.person(crew.ada), midnight, midnight + 5 * HOUR)
        assert ask(crew.schedule_id, crew.ada, NOON) == midnight + 5 * HOUR
        alone = make_schedule(crew.person(crew.eve))
        assert ask(alone.id, crew.eve, NOON) is None
        assert queries.next_change(alone.id, NOON) is None
        change = queries.next_change(crew.schedule_id, NOON)
        assert change == queries.Change(midnight + 5 * HOUR, crew.bob)


def test_schedules_of_others_are_not_visible(crew: Crew) -> None:
    with crew.app.app_context():
        for outsider in (crew.stranger, crew.stakeholder):
            viewer = crew.person(outsider)
            assert queries.schedules_of(viewer) == []
            assert isinstance(refusal(lambda: queries.schedule(viewer, crew.schedule_id)), NotFound)  # noqa: B023


def test_a_calendar_link_ends_when_renewed_revoked_or_its_owner_may_no_longer_see(
    crew: Crew,
) -> None:
    with crew.app.app_context():
        eve = crew.person(crew.eve)
        _, first = calendar_links.create(crew.schedule_id, by=eve)
        _, second = calendar_links.create(crew.schedule_id, by=eve)
        assert isinstance(refusal(lambda: calendar_links.opened_by(first)), NotFound)
        assert calendar_links.opened_by(second).schedule_id == crew.schedule_id
        calendar_links.revoke(crew.schedule_id, by=eve)
        assert isinstance(refusal(lambda: calendar_links.opened_by(second)), NotFound)
        _, own = calendar_links.create(None, by=eve)
        assert calendar_links.opened_by(own).schedule_id is None
        accounts.change_role(crew.eve, Role.STAKEHOLDER, by=crew.person(crew.admin))
        assert isinstance(refusal(lambda: calendar_links.opened_by(own)), NotFound)
        texts = [
            str(entry.details) + entry.subject
            for entry in db.session.scalars(db.select(AuditEntry))
        ]
        assert not any(token in text for token in (first, second, own) for text in texts)


def test_a_schedule_that_a_policy_asks_stays(crew: Crew) -> None:
    with crew.app.app_context():
        schedule = db.session.get_one(Schedule, crew.schedule_id)
        make_policy(schedule.account, [schedule])
        by = crew.person(crew.uma)
        refused = refusal(lambda: operations.delete(crew.schedule_id, by=by))
        assert "still used by an escalation policy" in str(refused)
        assert crew.at(NOON) == crew.ada
