"""How is an audited deed told to people? One table: the deed → its kind, and a sentence."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from string import Formatter
from typing import Any

from portal.domain.audit.actions import AuditAction
from portal.domain.audit.looks import Look
from portal.domain.audit.models import AuditEntry
from portal.slack import errors


class Kind(StrEnum):
    """What somebody filters the log by; the value is shown."""

    PEOPLE = "People and roles"
    ACCESS = "Passwords and sign-ins"
    SOURCES = "Alert sources and keys"
    ALERT_ACTIONS = "Alert actions"
    ON_CALL = "Schedules and shifts"
    ESCALATION = "Escalation policies"
    SLACK = "Slack workspace"
    SUPPORT = "Looks by support staff"


# The sentence goes on after the name of who did it. {subject} is what it was done to, without its
# noun; every other name in braces is one of the entry's details.
DEEDS: dict[AuditAction, tuple[Kind, str]] = {
    AuditAction.ACCOUNT_CREATED: (Kind.PEOPLE, "created the account {subject} for {owner}"),
    AuditAction.USER_CREATED: (Kind.PEOPLE, "added {subject} with the role {role}"),
    AuditAction.USER_INVITED: (Kind.PEOPLE, "invited {subject} with the role {role}"),
    AuditAction.USER_INVITED_AGAIN: (Kind.PEOPLE, "made a new invitation link for {subject}"),
    AuditAction.INVITATION_ACCEPTED: (Kind.PEOPLE, "accepted the invitation"),
    AuditAction.ROLE_CHANGED: (
        Kind.PEOPLE,
        "changed the role of {subject} from {before} to {after}",
    ),
    AuditAction.USER_DEACTIVATED: (Kind.PEOPLE, "deactivated {subject}"),
    AuditAction.USER_REACTIVATED: (Kind.PEOPLE, "reactivated {subject}"),
    AuditAction.PHONE_CHANGED: (Kind.PEOPLE, "changed their own phone number"),
    AuditAction.TIME_ZONE_CHANGED: (Kind.PEOPLE, "chose the time zone {time_zone}"),
    AuditAction.PASSWORD_CHANGED: (Kind.ACCESS, "changed their own password"),
    AuditAction.PASSWORD_RESET: (Kind.ACCESS, "set a new password for {subject}"),
    AuditAction.SIGN_IN_LINK_CREATED: (Kind.ACCESS, "made a sign-in link for {subject}"),
    AuditAction.SIGN_IN_LINK_USED: (
        Kind.ACCESS,
        "chose a new password with a sign-in link, and was signed out everywhere else",
    ),
    AuditAction.SIGN_IN_REVOKED: (Kind.ACCESS, "signed out one of their own browsers"),
    AuditAction.SOURCE_CREATED: (Kind.SOURCES, "created the alert source {subject}"),
    AuditAction.SOURCE_CHANGED: (Kind.SOURCES, "changed the alert source {subject}"),
    AuditAction.SOURCE_DISABLED: (Kind.SOURCES, "disabled the alert source {subject}"),
    AuditAction.SOURCE_ENABLED: (Kind.SOURCES, "enabled the alert source {subject}"),
    AuditAction.INTEGRATION_KEY_ROTATED: (
        Kind.SOURCES,
        "replaced the integration key of the alert source {subject}",
    ),
    AuditAction.SLACK_SETTINGS_CHANGED: (
        Kind.SOURCES,
        "changed the Slack settings of the alert source {subject}",
    ),
    AuditAction.ALERT_ACTION_CREATED: (
        Kind.ALERT_ACTIONS,
        "created the alert action {subject}",
    ),
    AuditAction.ALERT_ACTION_CHANGED: (
        Kind.ALERT_ACTIONS,
        "changed the alert action {subject}",
    ),
    AuditAction.ALERT_ACTION_DELETED: (
        Kind.ALERT_ACTIONS,
        "deleted the alert action {subject}",
    ),
    AuditAction.ALERT_ACTION_TESTED: (
        Kind.ALERT_ACTIONS,
        "tested the alert action {subject}",
    ),
    AuditAction.ESCALATION_POLICY_CREATED: (
        Kind.ESCALATION,
        "created the escalation policy {subject}",
    ),
    AuditAction.ESCALATION_POLICY_CHANGED: (
        Kind.ESCALATION,
        "changed the escalation policy {subject}",
    ),
    AuditAction.ESCALATION_POLICY_DELETED: (
        Kind.ESCALATION,
        "deleted the escalation policy {subject}",
    ),
    AuditAction.SCHEDULE_CREATED: (Kind.ON_CALL, "created the schedule {subject}"),
    AuditAction.SCHEDULE_CHANGED: (Kind.ON_CALL, "changed the schedule {subject}"),
    AuditAction.SCHEDULE_DELETED: (Kind.ON_CALL, "deleted the schedule {subject}"),
    AuditAction.SHIFT_ADDED: (Kind.ON_CALL, "added a shift of {person} to {subject}"),
    AuditAction.SHIFT_REMOVED: (Kind.ON_CALL, "removed a shift of {person} from {subject}"),
    AuditAction.OVERRIDE_CREATED: (
        Kind.ON_CALL,
        "put {person} on call in {subject} by an override",
    ),
    AuditAction.OVERRIDE_REMOVED: (Kind.ON_CALL, "ended an override for {person} in {subject}"),
    AuditAction.CALENDAR_LINK_CREATED: (
        Kind.ON_CALL,
        "made an address to read {subject} in a calendar program",
    ),
    AuditAction.CALENDAR_LINK_REVOKED: (
        Kind.ON_CALL,
        "ended the address to read {subject} in a calendar program",
    ),
    AuditAction.SLACK_USER_CONNECTED: (
        Kind.SLACK,
        "is connected to their Slack user, {how}",
    ),
    AuditAction.SLACK_USER_DISCONNECTED: (
        Kind.SLACK,
        "ended the connection of {subject} to their Slack user",
    ),
    AuditAction.WORKSPACE_LINKED: (Kind.SLACK, "linked the Slack workspace {subject}"),
    AuditAction.WORKSPACE_REAUTHORIZED: (
        Kind.SLACK,
        "authorized the Slack workspace {subject} again",
    ),
    AuditAction.WORKSPACE_UNLINKED: (Kind.SLACK, "unlinked the Slack workspace {subject}"),
    AuditAction.WORKSPACE_LIMITED: (
        Kind.SLACK,
        "granted fewer permissions than asked for in the Slack workspace {subject}",
    ),
    AuditAction.WORKSPACE_COMPLETE: (
        Kind.SLACK,
        "granted every permission asked for in the Slack workspace {subject}",
    ),
    AuditAction.WORKSPACE_BROKEN: (
        Kind.SLACK,
        "no longer accepts the link to the workspace {subject}",
    ),
    AuditAction.WORKSPACE_VIEWED_BY_SUPPORT: (
        Kind.SUPPORT,
        "looked at the link to the Slack workspace {subject}",
    ),
}
NOUNS = (
    "person ",
    "source ",
    "alert action ",
    "schedule ",
    "escalation policy ",
    "workspace ",
    "account ",
)


def _moment(iso: str) -> str:
    return f"{datetime.fromisoformat(iso).astimezone(UTC):%-d %b %Y, %H:%M} UTC"


# In this order, and before any other. `x_before` is told together with `x`.
LABELS = {
    "before": "Before",
    "after": "After",
    "name": "Name",
    "type": "Type",
    "channel": "Channel",
    "channel_id": "Channel id",
    "channels": "Slack channels",
    "sources": "Alert sources",
    "policies": "Escalation policies",
    "label": "Label",
    "anyone_may_ask": "Anyone may ask who is on call",
    "shows_phone": "Phone numbers shown",
    "escalation_policy_id": "Escalation policy",
    "levels": "Levels",
    "delay": "Minutes before level 1",
    "repeats": "Begins again",
    "routing_key": "Routing key",
    "user_group": "Slack user group",
    "time_zone": "Time zone",
    "starts_at": "From",
    "ends_at": "To",
    "team_id": "Workspace id",
    "where": "Where",
    "missing": "Missing permissions",
    "how": "Why",
    "reason": "Reason",
    "alert_actions": "Alert actions deleted",
    "slack_source_channels": "Channels of Slack alert sources cleared",
    "user_links": "Links between people and Slack deleted",
    "dedicated_channels": "Dedicated channels detached",
    "mode": "Trigger mode",
    "updates": "Updates",
    "conditions": "Conditions",
    "ended_after": "After the end of the policy",
    "not_resolved_after": "If not resolved within",
    "own_channels": "A channel for each alert",
    "archived": "Channels archived",
    "waiting_deliveries": "Waiting deliveries cancelled",
}
ORDER = {name: place for place, name in enumerate(LABELS)}
LOOKS = {Look.LIST: "the list of all workspaces", Look.PAGE: "the page of this workspace"}
WORDS: dict[str, Callable[[str], str]] = {
    "reason": errors.words,
    "channel": lambda names: ", ".join(f"#{name}" for name in names.split(", ")),
    "where": lambda where: LOOKS[Look(where)],
    "starts_at": _moment,
    "ends_at": _moment,
}


@dataclass(frozen=True)
class Told:
    """One entry in words. `did` follows the name of who did it."""

    entry: AuditEntry
    who: str
    did: str
    details: list[tuple[str, str]]  # label and value, without what the sentence says already


def tell(entry: AuditEntry) -> Told:
    """Old entries may lack a detail that their sentence names today: it is then “unknown”."""
    _, sentence = DEEDS[entry.action]
    said = {name for _, name, _, _ in Formatter().parse(sentence) if name}
    return Told(
        entry,
        entry.actor_name[:1].upper() + entry.actor_name[1:],
        sentence.format_map(_Known(entry.details, subject=_without_noun(entry.subject))),
        _details(entry.details, said),
    )


def _details(details: dict[str, Any], said: set[str]) -> list[tuple[str, str]]:
    told = []
    for name in sorted(details, key=lambda name: ORDER.get(name, len(ORDER))):
        before, value = details.get(f"{name}_before"), details[name]
        is_subject = name == "name" and before is None
        if name in said or name.endswith("_before") or value is None or is_subject:
            continue
        words = _value(name, value)
        if before is not None:
            words = f"{_value(name, before)} → {words}"
        told.append((LABELS.get(name, name.replace("_", " ").capitalize()), words))
    return told


def actions_of(kind: Kind) -> list[AuditAction]:
    return [action for action, (its_kind, _) in DEEDS.items() if its_kind is kind]


class _Known(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "unknown"


def _without_noun(subject: str) -> str:
    noun = next((noun for noun in NOUNS if subject.startswith(noun)), "")
    return subject.removeprefix(noun)


def _value(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return WORDS[name](str(value)) if name in WORDS else str(value)
