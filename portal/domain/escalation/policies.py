"""What changes escalation policies? Each function is one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.db import db
from portal.domain.accounts import queries as accounts
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Permission
from portal.domain.audit import log
from portal.domain.audit.actions import AuditAction
from portal.domain.escalation import queries
from portal.domain.escalation.models import EscalationPolicy, EscalationRule, EscalationTarget
from portal.domain.escalation.targets import Target, TargetKind
from portal.domain.oncall.models import Schedule
from portal.domain.sources.models import AlertSource
from portal.errors import Conflict, Invalid, NotFound

LONGEST_NAME = 80
LONGEST_KEY = 80
MOST_RULES = 50
TIMEOUTS, REPEATS, DELAYS = range(1, 1441), range(10), range(61)  # minutes, times, minutes
ROUTING_KEY = "uq_escalation_policies_routing_key"


@dataclass
class RuleDraft:
    """One rule as it was typed; None is a number that could not be read."""

    timeout_minutes: int | None
    targets: list[Target] = field(default_factory=list)


@dataclass
class PolicyDraft:
    """A policy as it was typed. `rules` are in the order of their levels."""

    name: str
    rules: Sequence[RuleDraft]
    delay_minutes: int | None = 0
    repeats: int | None = 0
    routing_key: str = ""


def create(draft: PolicyDraft, *, account: Account, by: User | None) -> EscalationPolicy:
    """Create a policy. `by` is None for the demo's data.

    Raises Invalid, whose field is a name of PolicyDraft or "rules-<index>-timeout" and
    "rules-<index>-targets"; Conflict when the name is taken.
    """
    if by is not None:
        by.require(Permission.MANAGE_ESCALATION_POLICIES)
        if by.account_id != account.id:
            raise NotFound("There is no such account.")
    policy = EscalationPolicy(account_id=account.id)
    _fill(policy, draft)
    _audit(AuditAction.ESCALATION_POLICY_CREATED, policy, by or log.COMMAND_LINE)
    db.session.commit()
    return policy


def change(policy_id: int, draft: PolicyDraft, *, by: User) -> EscalationPolicy:
    """Replace the policy's rules and settings. Alerts that climb it keep the rules they have."""
    policy = _locked(policy_id, by)
    before = _described(policy)
    _fill(policy, draft)
    if changed := log.changes(before, _described(policy)):
        _audit(AuditAction.ESCALATION_POLICY_CHANGED, policy, by, **changed)
    db.session.commit()
    return policy


def delete(policy_id: int, *, by: User) -> None:
    """Delete a policy that no alert source uses. Alerts that climb it go on with their copy.

    Raises Conflict, naming the sources.
    """
    policy = _locked(policy_id, by)
    users = queries.sources_using(policy)
    if users:
        raise Conflict(
            f"{policy.name} is used by {_listed(users)}."
            " Choose another escalation policy there first."
        )
    _audit(AuditAction.ESCALATION_POLICY_DELETED, policy, by)
    db.session.delete(policy)
    try:
        db.session.commit()
    except IntegrityError as problem:  # a source began to use it at this moment
        db.session.rollback()
        raise Conflict("An alert source uses this policy now. Please look again.") from problem


def _fill(policy: EscalationPolicy, draft: PolicyDraft) -> None:
    name, routing_key = _name(draft.name), _routing_key(draft.routing_key)
    delay = _within(DELAYS, draft.delay_minutes, "delay_minutes", "minutes")
    repeats = _within(REPEATS, draft.repeats, "repeats", "repeats")
    rules = _rules(policy.account_id, draft.rules)
    try:
        with db.session.begin_nested():
            policy.name, policy.routing_key = name, routing_key
            policy.delay_minutes, policy.repeats = delay, repeats
            policy.rules = []
            db.session.add(policy)
            db.session.flush()  # the old levels go before the new ones come
            policy.rules = rules
    except IntegrityError as problem:
        raise _taken(problem, name) from problem


def _rules(account_id: int, drafts: Sequence[RuleDraft]) -> list[EscalationRule]:
    if not 0 < len(drafts) <= MOST_RULES:
        raise Invalid(f"Please give 1 to {MOST_RULES} levels.", field="rules")
    rules = []
    for number, draft in enumerate(drafts):
        field = f"rules-{number}"
        minutes = _within(TIMEOUTS, draft.timeout_minutes, f"{field}-timeout", "minutes")
        targets = _targets(account_id, draft.targets, f"{field}-targets")
        rules.append(EscalationRule(level=number + 1, timeout_minutes=minutes, targets=targets))
    return rules


def _targets(account_id: int, chosen: list[Target], field: str) -> list[EscalationTarget]:
    if not chosen:
        raise Invalid("Please choose at least one person or schedule.", field=field)
    offered = {
        TargetKind.PERSON: {
            person.id
            for person in db.session.scalars(
                accounts.who_may(Permission.RESPOND_TO_ALERTS, account_id)
            )
        },
        TargetKind.SCHEDULE: set(
            db.session.scalars(select(Schedule.id).where(Schedule.account_id == account_id))
        ),
        TargetKind.POLICY: set[int](),
    }
    targets = []
    for each in dict.fromkeys(chosen):
        if each.id not in offered[each.kind]:
            raise Invalid("One of these can no longer be chosen. Please remove it.", field=field)
        is_person = each.kind is TargetKind.PERSON
        targets.append(
            EscalationTarget(
                user_id=each.id if is_person else None,
                schedule_id=None if is_person else each.id,
            )
        )
    return targets


def _taken(problem: IntegrityError, name: str) -> Conflict | Invalid:
    """Which of the two unique things is taken, in words at its field."""
    diagnosis = getattr(problem.orig, "diag", None)
    if getattr(diagnosis, "constraint_name", None) == ROUTING_KEY:
        return Invalid("Another escalation policy has this routing key.", field="routing_key")
    return Conflict(f"There is already an escalation policy named “{name}”.")


def _locked(policy_id: int, by: User) -> EscalationPolicy:
    by.require(Permission.MANAGE_ESCALATION_POLICIES)
    wanted = queries.visible_to(by).where(EscalationPolicy.id == policy_id).with_for_update()
    policy = db.session.scalar(wanted.execution_options(populate_existing=True))
    if policy is None:
        raise NotFound("There is no such escalation policy in your account.")
    return policy


def _described(policy: EscalationPolicy) -> dict[str, str]:
    """What the audit log tells: levels as "Ada (10 min), then Bob (5 min)"."""
    levels = []
    for rule in policy.rules:
        targets = [each.user or each.schedule for each in rule.targets]
        names = ", ".join(target.name for target in targets if target is not None)
        levels.append(f"{names} ({rule.timeout_minutes} min)")
    return {
        "name": policy.name,
        "levels": ", then ".join(levels),
        "delay": str(policy.delay_minutes),
        "repeats": str(policy.repeats),
        "routing_key": policy.routing_key or "none",
    }


def _audit(action: AuditAction, policy: EscalationPolicy, by: User | str, **changed: str) -> None:
    log.record(
        action,
        account_id=policy.account_id,
        by=by,
        subject=f"escalation policy {policy.name}",
        **_described(policy),
        **changed,
    )


def _listed(sources: Sequence[AlertSource]) -> str:
    names = [source.name for source in sources]
    if len(names) == 1:
        return f"the alert source {names[0]}"
    return f"the alert sources {', '.join(names[:-1])} and {names[-1]}"


def _name(raw: str) -> str:
    name = " ".join(raw.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise Invalid(f"Please give a name of 1 to {LONGEST_NAME} characters.", field="name")
    return name


def _routing_key(raw: str) -> str | None:
    key = raw.strip()
    if "," in key or len(key) > LONGEST_KEY or not key.isprintable():
        raise Invalid(
            f"Please give a key of up to {LONGEST_KEY} characters, without a comma.",
            field="routing_key",
        )
    return key or None


def _within(allowed: range, number: int | None, field: str, what: str) -> int:
    if number is None or number not in allowed:
        raise Invalid(
            f"Please give a number of {what} from {allowed[0]} to {allowed[-1]}.", field=field
        )
    return number
