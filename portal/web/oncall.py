"""Who is on call now, until when, and what happens next?"""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response

from portal.db import now
from portal.domain.accounts import queries as accounts
from portal.domain.accounts.permissions import Permission
from portal.domain.escalation import outlook, queries
from portal.domain.escalation.models import AlertEscalation, EscalationPolicy
from portal.domain.escalation.outlook import Level, NextStep, Turn
from portal.web import reachability
from portal.web.access import requires, viewer
from portal.web.render import fragment, page

bp = Blueprint("on_call", __name__)

NEXT_STEPS = 20


@dataclass(frozen=True)
class Place:
    """Where the viewer is on call themselves."""

    policy: EscalationPolicy
    level: int
    turn: Turn


@bp.get("/on-call")
@requires(Permission.SEE_ESCALATION_POLICIES)
def index() -> Response:
    """Everybody on call by policy and level, and the alerts that wait; both follow by themselves."""
    return page("on_call/index.html", **_now(), upcoming=_upcoming())


@bp.get("/on-call/now")
@requires(Permission.SEE_ESCALATION_POLICIES)
def present() -> Response:
    return fragment("on_call/_now.html", **_now())


@bp.get("/on-call/next")
@requires(Permission.SEE_ESCALATION_POLICIES)
def upcoming() -> Response:
    return fragment("on_call/_next.html", upcoming=_upcoming())


def _now() -> dict[str, Any]:
    policies = queries.policies_of(viewer())
    levels = outlook.levels_of({policy.id: policy.plan for policy in policies}, now())
    return {
        "policies": policies,
        "levels": levels,
        "mine": _mine(policies, levels),
        "reach": reachability.of_account(viewer(), accounts.people_of(viewer())),
        "used_by": queries.used_by(viewer()),
        "can_manage": viewer().can(Permission.MANAGE_ESCALATION_POLICIES),
    }


def _upcoming() -> list[tuple[AlertEscalation, NextStep]]:
    found = []
    for climb in queries.next_steps(viewer(), limit=NEXT_STEPS):
        step = outlook.next_step(climb.alert, climb)
        if step is not None:
            found.append((climb, step))
    return found


def _mine(policies: list[EscalationPolicy], levels: dict[int, list[Level]]) -> list[Place]:
    return [
        Place(policy, level.number, turn)
        for policy in policies
        for level in levels[policy.id]
        for turn in level.turns
        if turn.person is not None and turn.person.id == viewer().id
    ]
