"""Whom can a rule or a reroute name, and which people does that ask at a moment?"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.escalation.steps import Rule
from portal.domain.oncall import queries as oncall
from portal.errors import NotFound

GONE = "This choice is no longer offered. Please choose again."


class TargetKind(StrEnum):
    PERSON = "person"
    SCHEDULE = "schedule"
    POLICY = "policy"  # only for a reroute


@dataclass(frozen=True)
class Target:
    """A choice as forms and Slack carry it: "person:7"."""

    kind: TargetKind
    id: int

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Raises NotFound for anything that is no target."""
        kind, _, number = text.partition(":")
        if kind not in list(TargetKind) or not re.fullmatch(r"[0-9]{1,18}", number):
            raise NotFound(GONE)
        return cls(TargetKind(kind), int(number))

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True)
class OnCall:
    """Who is on call at one moment, as far as some rules need to know."""

    people: dict[int, User]
    in_schedule: dict[int, int | None]

    def asked(self, rule: Rule) -> list[int]:
        """The people named and those on call now, each once; nobody who may not answer."""
        on_call = [self.in_schedule.get(schedule_id) for schedule_id in rule.schedules]
        wanted = [*rule.users, *(user_id for user_id in on_call if user_id is not None)]
        return [user_id for user_id in dict.fromkeys(wanted) if self._may_answer(user_id)]

    def names(self, user_ids: Iterable[int]) -> list[str]:
        return [self.people[user_id].name for user_id in user_ids]

    def _may_answer(self, user_id: int) -> bool:
        person = self.people.get(user_id)
        return person is not None and person.can(Permission.RESPOND_TO_ALERTS)


def look(rules: Iterable[Rule], at: datetime) -> OnCall:
    """Read once what all these rules need."""
    wanted = list(rules)
    schedule_ids = {schedule_id for rule in wanted for schedule_id in rule.schedules}
    in_schedule = oncall.on_call_now(schedule_ids, at) if schedule_ids else {}
    ids = {user_id for rule in wanted for user_id in rule.users}
    ids |= {user_id for user_id in in_schedule.values() if user_id is not None}
    people = db.session.scalars(select(User).where(User.id.in_(ids))) if ids else ()
    return OnCall({person.id: person for person in people}, in_schedule)
