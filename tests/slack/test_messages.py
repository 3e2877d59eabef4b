"""Does an alert look right in Slack, whatever is in it?"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.accounts.models import User
from portal.domain.alerts.models import Alert, AlertStatus, Priority
from portal.domain.sources.models import AlertSource
from portal.slack.messages.alert import ACKNOWLEDGE, MORE, RESOLVE, alert_message, plain_message
from portal.slack.messages.text import code, escape, link, plain, units

URL = "https://alerts.example.com/alerts/7"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def an_alert(status: AlertStatus = AlertStatus.PENDING, **changes: Any) -> Alert:
    fields: dict[str, Any] = {
        "id": 7,
        "source": AlertSource(name="Prometheus"),
        "summary": "Disk full",
        "details": "",
        "links": [],
        "priority": Priority.HIGH,
        "severity": None,
        "event_count": 1,
        "created_at": NOON,
        "status": status,
    }
    return Alert(**{**fields, **changes})


def blocks_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [*message["blocks"], *(b for bar in message["attachments"] for b in bar["blocks"])]


def buttons_of(message: dict[str, Any]) -> list[str]:
    blocks = blocks_of(message)
    return [e["action_id"] for b in blocks if b["type"] == "actions" for e in b["elements"]]


def texts_of(message: dict[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False)


def test_each_status_shows_only_the_buttons_that_are_possible() -> None:
    ada = User(name="Ada Lovelace")
    pending = alert_message(an_alert(), URL, 1)
    has_it = {"acknowledged_at": NOON, "acknowledged_by": ada, "acknowledged_by_id": 1}
    taken = alert_message(an_alert(AlertStatus.ACKNOWLEDGED, **has_it), URL, 2)
    done = {"resolved_at": NOON, "resolved_by": ada, "resolved_by_id": 1}
    resolved = alert_message(an_alert(AlertStatus.RESOLVED, **done), URL, 3)
    assert buttons_of(pending) == [ACKNOWLEDGE, RESOLVE, MORE]
    assert buttons_of(taken) == [RESOLVE, MORE]
    assert buttons_of(resolved) == []
    assert "Ada Lovelace* has it" in texts_of(taken)
    assert "Resolved by *Ada Lovelace" in texts_of(resolved)
    colours = {m["attachments"][0]["color"] for m in (pending, taken, resolved)}
    assert len(colours) == 3


def test_the_fallback_text_says_all_that_a_notification_needs() -> None:
    text = alert_message(an_alert(priority=Priority.LOW), URL, 1)["text"]
    assert text == "[Pending] Disk full (low priority) – Prometheus"


def test_block_ids_differ_between_versions() -> None:
    first, second = (
        {block["block_id"] for block in blocks_of(alert_message(an_alert(), URL, version))}
        for version in (1, 2)
    )
    assert not first & second


@pytest.mark.parametrize("hostile", ["<!channel>", "<@U123>", "<https://evil|safe>", "&lt;!here>"])
def test_nothing_inside_an_alert_comes_alive(hostile: str) -> None:
    message = alert_message(an_alert(summary=hostile, details=hostile), URL, 1)
    assert hostile not in texts_of(message)
    assert all(
        element["verbatim"]
        for block in blocks_of(message)
        for element in [block.get("text"), *block.get("elements", [])]
        if element and element.get("type") == "mrkdwn"
    )


@given(
    summary=st.text(min_size=1, max_size=250),
    details=st.text(max_size=5000),
    name=st.text(min_size=1, max_size=80),
    href=st.text(max_size=600),
)
def test_every_alert_keeps_slacks_limits(summary: str, details: str, name: str, href: str) -> None:
    alert = an_alert(
        summary=summary,
        details=details,
        source=AlertSource(name=name),
        links=[{"href": f"https://example.com/{href}", "text": href}] * 8,
    )
    message = alert_message(alert, URL, 1)
    blocks = blocks_of(message)
    assert len(blocks) <= 50
    assert units(message["text"]) <= 4000
    total = 0
    for block in blocks:
        for element in [block.get("text"), *block.get("elements", [])]:
            if element and isinstance(element.get("text"), str):
                assert 0 < units(element["text"]) <= 3000
                total += units(element["text"])
    assert total <= 10000


def test_the_plain_message_is_short_and_leads_to_the_alert() -> None:
    message = plain_message(an_alert(summary="x" * 250), URL)
    assert units(message["text"]) < 2500
    assert f"<{URL}|Open>" in message["text"]


@given(st.text(), st.integers(min_value=10, max_value=100))
def test_escaping_never_cuts_inside_an_entity(text: str, limit: int) -> None:
    escaped = escape(text, limit)
    assert units(escaped) <= limit
    for piece in escaped.split("&")[1:]:
        assert piece.startswith(("amp;", "lt;", "gt;"))


def test_a_fence_inside_details_cannot_end_the_code_block() -> None:
    assert code("a```b", 100).count("```") == 2


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://x/y", "//evil", "mailto:a@b"])
def test_only_http_links_become_links(url: str) -> None:
    assert link(url, "label", 100) == "label"


def test_a_label_cannot_disguise_a_link() -> None:
    assert link("https://a.example/x|y>z", "a|b", 100) == "<https://a.example/x%7Cy%3Ez|a¦b>"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("*x*", "∗x∗"),
        ("~old~ `id`", "∼old∼ ˋidˋ"),
        ("_new_ db_primary_2", "＿new＿ db_primary_2"),
        ("Platform", "Platform"),
    ],
)
def test_a_name_formats_nothing_and_ends_no_bold_around_it(name: str, shown: str) -> None:
    assert plain(name) == shown
