"""Does a letter say what is needed, and can nothing from outside change its headers?"""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from flask import Flask

from portal.mail import letters
from portal.mail.letters import Letter
from tests.mail.conftest import SENDER
from tests.make import make_alert, make_source

URL = "https://alerts.example.com"


def written(letter: Letter, **more: str) -> EmailMessage:
    """As it is read at the other end of the line."""
    made = letters.written(
        letter,
        to="ada@example.com",
        sender=SENDER,
        at=datetime(2026, 3, 1, 12, tzinfo=UTC),
        message_id=letters.message_id("notification-7", URL),
        **more,
    )
    read = message_from_bytes(made.as_bytes(), policy=policy.default)
    assert isinstance(read, EmailMessage)
    return read


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


@pytest.mark.parametrize(
    "summary",
    [
        "Disk full\r\nBcc: everybody@example.com",
        "Disk full\nSubject: other\n\n<h1>body</h1>",
        "Disk full\x00\x0b\x0c\x85\u2028\u2029Bcc: everybody@example.com",
        "Ünïcode 🔥 " + "x" * 400,
        "=?utf-8?q?Bcc:_x?=",
    ],
)
def test_a_summary_cannot_make_a_header(app: Flask, summary: str) -> None:
    with app.app_context():
        message = written(Letter(summary, [summary], f"{URL}/alerts/7", "Open", "Why", URL))
    assert set(message.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version",
        "Content-Type",
    }  # fmt: skip
    assert message["To"] == "ada@example.com"
    assert len(str(message["Subject"])) <= letters.LONGEST_SUBJECT


def test_the_letter_says_what_it_is_who_has_it_and_where_to_answer(app: Flask) -> None:
    with app.app_context():
        alert = make_alert(
            make_source(name="Prometheus")[0],
            summary="Disk <b>full</b>",
            details="95 % <script>alert(1)</script>",
        )
        message = written(letters.of_alert(alert, URL))
    assert message["Subject"] == "[Pending] Disk <b>full</b>"
    plain, html = body(message, "plain"), body(message, "html")
    for text in (plain, html):
        assert f"{URL}/alerts/{alert.id}" in text
        assert "Nobody has taken it yet." in text
        assert "Prometheus" in text
        assert f"{URL}/profile/notifications" in text
    assert "<script>" not in html
    assert "Disk &lt;b&gt;full&lt;/b&gt;" in html


def test_what_follows_is_filed_under_the_first(app: Flask) -> None:
    first = letters.message_id("notification-3", URL)
    with app.app_context():
        message = written(letters.of_test(URL), answers=first)
    assert message["Message-ID"] == "<notification-7@alerts.example.com>"
    assert message["References"] == message["In-Reply-To"] == first
    assert message["Date"] == "Sun, 01 Mar 2026 12:00:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"


def test_an_address_cannot_make_a_header_either(app: Flask) -> None:
    with app.app_context(), pytest.raises(ValueError, match="linefeed"):
        letters.written(
            letters.of_test(URL),
            to="ada@example.com\nBcc: everybody@example.com",
            sender=SENDER,
            at=datetime.now(UTC),
            message_id="<1@x>",
        )
