"""Which updates of an alert can an alert action publish? product.md 3.2, in its order."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from portal.domain.alerts.models import TimelineEntry, TimelineKind


class TriggerMode(StrEnum):
    AUTOMATIC = "automatic"  # by its triggers
    MANUAL = "manual"  # by a person, from the alert's menu


class Trigger(StrEnum):
    """The published name of each update, in the order in which they are offered."""

    CREATED = "alert-created"
    ACKNOWLEDGED = "alert-acknowledged"
    ASSIGNED = "alert-assigned"
    ESCALATED = "alert-auto-escalated"
    RAISED = "alert-raised"
    RESOLVED = "alert-resolved"
    COMMENT_ADDED = "alert-comment-added"
    RESPONDER_ADDED = "alert-responder-added"
    RESPONDER_REMOVED = "alert-responder-removed"
    CHANNEL_ATTACHED = "alert-channel-attached"
    CHANNEL_DETACHED = "alert-channel-detached"
    ESCALATION_ENDED = "alert-escalation-ended"
    NOT_RESOLVED = "v-alert-not-resolved"


LABELS: Mapping[Trigger, str] = {
    Trigger.CREATED: "Alert created",
    Trigger.ACKNOWLEDGED: "Alert acknowledged",
    Trigger.ASSIGNED: "Alert rerouted",
    Trigger.ESCALATED: "Alert escalated",
    Trigger.RAISED: "Alert priority raised",
    Trigger.RESOLVED: "Alert resolved",
    Trigger.COMMENT_ADDED: "Comment added",
    Trigger.RESPONDER_ADDED: "Responder added",
    Trigger.RESPONDER_REMOVED: "Responder removed",
    Trigger.CHANNEL_ATTACHED: "Dedicated channel attached",
    Trigger.CHANNEL_DETACHED: "Dedicated channel detached",
    Trigger.ESCALATION_ENDED: "End of the policy reached, and still pending",
    Trigger.NOT_RESOLVED: "Not resolved in time",
}
DEFAULT: tuple[Trigger, ...] = (
    Trigger.CREATED,
    Trigger.ACKNOWLEDGED,
    Trigger.ASSIGNED,
    Trigger.ESCALATED,
    Trigger.RESOLVED,
    Trigger.COMMENT_ADDED,
)
# How many seconds may pass before these publish; the first may also do so at once.
ENDED_AFTER = (30, 7_200)
NOT_RESOLVED_AFTER = (60, 172_800)

OF_ENTRY: Mapping[TimelineKind, Trigger] = {
    TimelineKind.ACKNOWLEDGED: Trigger.ACKNOWLEDGED,
    TimelineKind.REROUTED: Trigger.ASSIGNED,
    TimelineKind.ESCALATED: Trigger.ESCALATED,
    TimelineKind.PRIORITY_RAISED: Trigger.RAISED,
    TimelineKind.RESOLVED: Trigger.RESOLVED,
    TimelineKind.COMMENT_ADDED: Trigger.COMMENT_ADDED,
    TimelineKind.RESPONDER_ADDED: Trigger.RESPONDER_ADDED,
    TimelineKind.RESPONDER_REMOVED: Trigger.RESPONDER_REMOVED,
    TimelineKind.CHANNEL_ATTACHED: Trigger.CHANNEL_ATTACHED,
    TimelineKind.CHANNEL_DETACHED: Trigger.CHANNEL_DETACHED,
    TimelineKind.ESCALATION_ENDED: Trigger.ESCALATION_ENDED,
    TimelineKind.NOT_RESOLVED: Trigger.NOT_RESOLVED,
}
# Whoever opens or reroutes an alert has its first level asked: that says nothing new.
SAID_ALREADY = ("opened", "rerouted")


def of_entry(entry: TimelineEntry) -> Trigger | None:
    """Which update a line of the timeline is, if it is one that can be published."""
    data: dict[str, Any] = entry.data or {}
    if entry.kind is TimelineKind.ESCALATED and data.get("cause") in SAID_ALREADY:
        return None
    return OF_ENTRY.get(entry.kind)
