"""How does something look as an e-mail? Pure functions from state to a message.

Nothing that comes from outside can end a header or begin another one: clean() leaves a single line.
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import urlsplit

from flask import render_template

from portal.domain.alerts.models import Alert, Priority

LONGEST_SUBJECT = 200
LONGEST_DETAILS = 4000


@dataclass(frozen=True)
class Letter:
    """What is said, and the one place where something can be done."""

    subject: str
    lines: list[str]
    url: str
    label: str
    why: str  # why the person gets this, and where to change that
    why_url: str
    details: str = ""


def of_alert(alert: Alert, public_url: str, *, is_again: bool = False) -> Letter:
    """The alert as it is now, for somebody who is asked about it."""
    if alert.acknowledger:
        state = f"{alert.acknowledger} has it, since {alert.acknowledged_at:%-d %b %Y, %H:%M} UTC."
    else:
        state = "Nobody has taken it yet."
    lines = [
        "You are asked again: nobody has answered." if is_again else "You are asked to act.",
        state,
        f"Source: {alert.source.name}",
        f"Priority: {alert.priority.capitalize()}"
        + (f", SEV{alert.severity}" if alert.severity else ""),
        f"Opened: {alert.created_at:%-d %b %Y, %H:%M} UTC",
    ]
    low = " (low priority)" if alert.priority is Priority.LOW else ""
    return Letter(
        subject=f"[{alert.status.capitalize()}] {alert.summary}{low}",
        lines=lines,
        url=f"{public_url}/alerts/{alert.id}",
        label="Open the alert, to acknowledge or resolve it",
        why="You get this because an escalation policy or a person asked you.",
        why_url=f"{public_url}/profile/notifications",
        details=alert.details[:LONGEST_DETAILS],
    )


def of_test(public_url: str) -> Letter:
    return Letter(
        subject="This is a test of your notifications",
        lines=["You asked for this test. E-mails about alerts reach you."],
        url=f"{public_url}/profile/notifications",
        label="Your notifications",
        why="You pressed the button for a test in your profile.",
        why_url=f"{public_url}/profile/notifications",
    )


def of_notice(text: str, path: str, public_url: str) -> Letter:
    return Letter(
        subject=text,
        lines=[text],
        url=f"{public_url}{path}",
        label="See what to do",
        why="You get this once, because you can do something about it.",
        why_url=f"{public_url}/profile",
    )


def written(
    letter: Letter,
    *,
    to: str,
    sender: str,
    at: datetime,
    message_id: str,
    answers: str | None = None,
) -> EmailMessage:
    """The message, in plain text and in HTML. `answers` is the id of the one it belongs to.

    Raises ValueError for an address that cannot stand in a header.
    """
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = sender, to
    message["Subject"] = clean(letter.subject, LONGEST_SUBJECT)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id
    if answers is not None:
        message["In-Reply-To"] = message["References"] = answers
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes in return
    message.set_content(_plain(letter))
    message.add_alternative(render_template("mail/_letter.html", letter=letter), subtype="html")
    return message


def message_id(name: str, public_url: str) -> str:
    """Always the same for the same thing, so that a repeated letter is known as one."""
    return f"<{name}@{urlsplit(public_url).hostname}>"


def clean(text: str, limit: int) -> str:
    """One line without control or invisible formatting characters, cut to `limit` characters."""
    harmless = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in text)
    line = " ".join(harmless.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _plain(letter: Letter) -> str:
    parts = [letter.subject, "\n".join(letter.lines), f"{letter.label}:\n{letter.url}"]
    if letter.details.strip():
        parts.append(letter.details)
    parts.append(f"-- \n{letter.why}\n{letter.why_url}")
    return "\n\n".join(parts) + "\n"
