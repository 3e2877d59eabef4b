"""Which shape does every format of the monitoring tools become?"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class EventType(StrEnum):
    """ilert's words at the wire (product.md section 9); ACCEPT is our acknowledge."""

    ALERT = "ALERT"
    ACCEPT = "ACCEPT"
    RESOLVE = "RESOLVE"
    COMMENT = "COMMENT"


@dataclass(frozen=True)
class IncomingComment:
    creator: str
    content: str


@dataclass(frozen=True)
class IncomingEvent:
    """One event, checked and cleaned. `summary` may be long; whoever opens an alert shortens it."""

    type: EventType
    alert_key: str | None = None  # as sent, trimmed
    summary: str = ""
    details: str = ""
    priority: str | None = None  # HIGH or LOW
    severity: int | None = None  # 1..5
    routing_key: str | None = None  # chooses the escalation policy; several, comma-separated
    links: list[dict[str, str]] = field(default_factory=list)  # href, text
    images: list[dict[str, str]] = field(default_factory=list)  # src, href, alt
    labels: dict[str, str] = field(default_factory=dict)
    custom_details: Any = None
    comments: list[IncomingComment] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what was dropped, for the event log
