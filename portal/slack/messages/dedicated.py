"""What do we write on and into an alert's own channel? Topic, bookmark, farewell."""

from typing import Any

from portal.domain.alerts.models import Alert
from portal.slack.messages.text import escape, link, units

LONGEST_TOPIC = 250  # Slack: conversations.setTopic


def topic(alert: Alert, url: str) -> str:
    """Status, summary and the way to the alert; always of the present state."""
    head, tail = f"[{alert.status.capitalize()}] ", f" · {url}"
    room = LONGEST_TOPIC - units(head) - units(tail)
    summary = " ".join(alert.summary.split())
    return f"{head}{escape(summary, room)}{tail}" if room > 20 else f"{head}{url}"


def bookmark_title(alert: Alert) -> str:
    return f"Alert {alert.id}"


def farewell(alert: Alert, url: str) -> dict[str, Any]:
    """The last line in a channel that no longer follows its alert."""
    text = f"This channel no longer follows the alert. {link(url, 'See how it goes on', 60)}"
    return {"text": text, "unfurl_links": False, "unfurl_media": False, "parse": "none"}
