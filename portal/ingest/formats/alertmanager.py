"""What does a notification of Prometheus' Alertmanager say? Its webhook body, many alerts at once.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config: version 4. Alertmanager
sends a group again while it fires, and each alert once more when it is resolved; the fingerprint,
which is made of the labels, is the alert's key.
"""

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from portal.domain.alerts.incoming import EventType, IncomingEvent
from portal.ingest.body import parse_object
from portal.ingest.formats.native import LONGEST_KEY, Text, Wire, invalid, web_address

TYPES = {"firing": EventType.ALERT, "resolved": EventType.RESOLVE}
# Prometheus has no fixed words for it; these say plainly that nobody needs to be woken.
LOW = {"info", "information", "informational", "low", "none", "debug"}
PRIORITIES = {"high": "HIGH", "low": "LOW"}
# Annotations that people give a page to, and how the link is called.
PAGES = {"runbook_url": "Runbook", "dashboard_url": "Dashboard", "panel_url": "Panel"}


class WireAlert(Wire):
    status: Literal["firing", "resolved"]
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    startsAt: Text
    generatorURL: Text
    fingerprint: Annotated[str, Field(default="", max_length=LONGEST_KEY)]


class Notification(Wire):
    """The body as it is sent. What all alerts have in common stands in each of them as well."""

    alerts: list[WireAlert]
    externalURL: Text
    truncatedAlerts: int = 0


def parse(raw: bytes) -> list[IncomingEvent]:
    """Return an event for each alert, in their order. Raises Invalid, which names the alert and
    the field; then none of them counts."""
    body = parse_object(raw)
    try:
        sent = Notification.model_validate(body)
    except ValidationError as problem:
        raise invalid(problem.errors()[0]) from None
    events = [_event(alert, number, sent) for number, alert in enumerate(sent.alerts)]
    if sent.truncatedAlerts > 0 and events:
        left_out = f"Alertmanager left out {sent.truncatedAlerts} more alerts of this group."
        events[0].notes.append(left_out)
    return events


def _event(alert: WireAlert, number: int, sent: Notification) -> IncomingEvent:
    labels, annotations = alert.labels, alert.annotations
    notes: list[str] = []
    name = labels.get("alertname", "")
    summary = annotations.get("summary") or annotations.get("title") or name
    details = annotations.get("description") or annotations.get("message") or ""
    return IncomingEvent(
        type=TYPES[alert.status],
        alert_key=alert.fingerprint.strip() or _fingerprint(labels),
        summary=summary.strip() or details.strip()[:200] or "Alert without a name",
        details=details,
        priority=_priority(labels),
        links=_links(alert, sent, f"alerts.{number}", notes),
        labels=labels,
        custom_details={"annotations": annotations, "startsAt": alert.startsAt},
        notes=notes,
    )


def _priority(labels: dict[str, str]) -> str | None:
    """A label `priority` says it; else a severity that wakes nobody; else the usual one."""
    said = PRIORITIES.get(labels.get("priority", "").strip().lower())
    is_low = labels.get("severity", "").strip().lower() in LOW
    return said or ("LOW" if is_low else None)


def _links(
    alert: WireAlert, sent: Notification, field: str, notes: list[str]
) -> list[dict[str, str]]:
    named: list[tuple[str, str, str]] = [
        (alert.generatorURL, "Source", f"{field}.generatorURL"),
        *(
            (alert.annotations.get(name, ""), text, f"{field}.annotations.{name}")
            for name, text in PAGES.items()
        ),
        (sent.externalURL, "Alertmanager", "externalURL"),
    ]
    return [
        {"href": href, "text": text}
        for value, text, where in named
        if value and (href := web_address(value, where, notes))
    ]


def _fingerprint(labels: dict[str, Any]) -> str:
    """For senders that leave it out: alike for the same labels, as Alertmanager's own."""
    canonical = json.dumps(sorted(labels.items())).encode()
    return hashlib.sha256(canonical).hexdigest()[:16]
