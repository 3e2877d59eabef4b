"""How much of what a tool sent is shown at once? And all of it, as plain text."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC

from portal.domain.alerts.models import Alert, TimelineEntry

SHOWN = 4000  # characters of one text; an event may bring a mebibyte
LISTED = 20  # links, images or labels


def custom_details(alert: Alert) -> str:
    """As JSON that people can read, or nothing."""
    details = alert.custom_details
    return json.dumps(details, indent=2, ensure_ascii=False) if details else ""


def everything(alert: Alert, comments: Iterable[TimelineEntry]) -> str:
    """Each part that the alert has, under its name."""
    parts = {
        "Details": alert.details,
        "Custom details": custom_details(alert),
        "Labels": "\n".join(f"{name}: {value}" for name, value in sorted(alert.labels.items())),
        "Links": "\n".join(map(_one_line, alert.links)),
        "Images": "\n".join(map(_one_line, alert.images)),
        "Comments": "\n\n".join(map(_comment, comments)),
    }
    named = [f"{name}\n{'-' * len(name)}\n{text}\n" for name, text in parts.items() if text]
    return "\n".join([f"{alert.summary}\n", *named])


def _one_line(link: Mapping[str, str]) -> str:
    return "  ".join(filter(None, link.values()))


def _comment(entry: TimelineEntry) -> str:
    at = entry.at.astimezone(UTC)
    return f"{entry.actor_name}, {at:%-d %b %Y, %H:%M} UTC:\n{entry.data.get('content', '')}"
