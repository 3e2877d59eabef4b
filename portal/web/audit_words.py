"""How is an audited deed told to people? One table: the deed → its kind, and a sentence."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from string import Formatter
from typing import Any

from portal.domain.audit.actions import AuditAction
from portal.domain.audit.models import AuditEntry
from portal.slack import errors


class Kind(StrEnum):
    """What somebody filters the log by; the value is shown."""

    PEOPLE = "People and roles"
    ACCESS = "Passwords and sign-ins"
    SOURCES = "Alert sources and keys"
    ALERT_ACTIONS = "Alert actions"
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
    AuditAction.PASSWORD_CHANGED: (Kind.ACCESS, "changed their own password"),
    AuditAction.SIGN_IN_REVOKED: (Kind.ACCESS, "signed out one of their own browsers"),
    AuditAction.SOURCE_CREATED: (Kind.SOURCES, "created the alert source {subject}"),
    AuditAction.SOURCE_CHANGED: (Kind.SOURCES, "changed the alert source {subject}"),
    AuditAction.SOURCE_DISABLED: (Kind.SOURCES, "disabled the alert source {subject}"),
    AuditAction.SOURCE_ENABLED: (Kind.SOURCES, "enabled the alert source {subject}"),
    AuditAction.INTEGRATION_KEY_ROTATED: (
        Kind.SOURCES,
        "replaced the integration key of the alert source {subject}",
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
    AuditAction.WORKSPACE_LINKED: (Kind.SLACK, "linked the Slack workspace {subject}"),
    AuditAction.WORKSPACE_REAUTHORIZED: (
        Kind.SLACK,
        "authorized the Slack workspace {subject} again",
    ),
    AuditAction.WORKSPACE_UNLINKED: (Kind.SLACK, "unlinked the Slack workspace {subject}"),
    AuditAction.WORKSPACE_BROKEN: (
        Kind.SLACK,
        "no longer accepts the link to the workspace {subject}",
    ),
    AuditAction.WORKSPACE_VIEWED_BY_SUPPORT: (
        Kind.SUPPORT,
        "looked at the link to the Slack workspace {subject}",
    ),
}
NOUNS = ("person ", "source ", "alert action ", "workspace ", "account ")

LABELS = {
    "before": "Before",
    "after": "After",
    "name_before": "Name before",
    "type": "Type",
    "type_before": "Type before",
    "channel": "Channel",
    "channel_before": "Channel before",
    "channel_id": "Channel id",
    "channel_id_before": "Channel id before",
    "sources": "Alert sources",
    "sources_before": "Alert sources before",
    "team_id": "Workspace id",
    "reason": "Reason",
    "alert_actions": "Alert actions deleted",
    "user_links": "Links between people and Slack deleted",
    "waiting_deliveries": "Waiting deliveries cancelled",
}
# The subject says the name already.
LEFT_OUT = {"name"}
WORDS: dict[str, Callable[[str], str]] = {
    "reason": errors.words,
    "channel": "#{}".format,
    "channel_before": "#{}".format,
}


@dataclass(frozen=True)
class Told:
    """One entry in words. `did` follows the name of who did it."""

    entry: AuditEntry
    kind: Kind
    did: str
    details: list[tuple[str, str]]  # label and value, without what the sentence says already


def tell(entry: AuditEntry) -> Told:
    """Old entries may lack a detail that their sentence names today: it is then “unknown”."""
    kind, sentence = DEEDS[entry.action]
    said = {name for _, name, _, _ in Formatter().parse(sentence) if name} | LEFT_OUT
    rest = {name: value for name, value in entry.details.items() if name not in said}
    return Told(
        entry,
        kind,
        sentence.format_map(_Known(entry.details, subject=_without_noun(entry.subject))),
        [(_label(name), _value(name, value)) for name, value in rest.items() if value is not None],
    )


def actions_of(kind: Kind) -> list[AuditAction]:
    return [action for action, (its_kind, _) in DEEDS.items() if its_kind is kind]


class _Known(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "unknown"


def _without_noun(subject: str) -> str:
    noun = next((noun for noun in NOUNS if subject.startswith(noun)), "")
    return subject.removeprefix(noun)


def _label(name: str) -> str:
    return LABELS.get(name, name.replace("_", " ").capitalize())


def _value(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return WORDS[name](str(value)) if name in WORDS else str(value)
