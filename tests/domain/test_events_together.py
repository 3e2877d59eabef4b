"""Is an event that comes with others in one body stored, and followed, as if it had come alone?"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Text, event, func, select
from sqlalchemy import cast as cast_to
from sqlalchemy.exc import SQLAlchemyError

from portal.db import db
from portal.domain.accounts.models import Account
from portal.domain.alerts import receive
from portal.domain.alerts.incoming import EventType, IncomingComment, IncomingEvent
from portal.domain.alerts.models import Alert, Outcome, ReceivedEvent, TimelineEntry
from portal.domain.dedicated_channels.models import DedicatedChannel
from portal.domain.escalation.models import AlertEscalation, Responder
from portal.domain.notifications.models import Notification
from portal.domain.sources.models import AlertSource
from portal.slack.posted import PostedMessage
from tests.domain.conftest import Cast
from tests.make import make_action, make_policy, make_source

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
NUMBERED = {"id", "alert_id", "source_id", "account_id"}  # for each anew
PLAIN = IncomingEvent(EventType.ALERT, summary="Disk full")
RICH = IncomingEvent(
    EventType.ALERT,
    alert_key="Disk\t'1' \\ “Ä”",
    summary="Größe 💾 \\u0000 \\ ' $1 :name %s " + "x" * 300,
    details="line 1\nline 2\t\\N",
    priority="LOW",
    severity=3,
    routing_key="Database, network",
    links=[{"href": "https://example.com/?a=1&b=2", "text": "Runbook"}],
    images=[{"src": "https://example.com/a.png", "href": "", "alt": ""}],
    labels={"": "empty", "a b": "{}", "null": "null", "ü": "\x7f\x1f", "z": "1", "A": "2"},
    custom_details={"big": 10**400, "small": 1e-300, "deep": [None, True, {"": [1.5]}]},
    comments=[IncomingComment("Ann", "Look"), IncomingComment("", "at it")],
    notes=["a was dropped.", "b “too”."],
)
ODD = [
    IncomingEvent(EventType.ALERT, summary="x", custom_details=odd)
    for odd in ("null", "", 0, False, [], {}, -0.0, "\\u0041", {"a": None})
]


def stored(source: AlertSource) -> dict[str, list[tuple[str | None, ...]]]:
    """What PostgreSQL has of the source's alerts, in its own words: JSON's null is not NULL."""
    found = {}
    for kind in (Alert, ReceivedEvent, TimelineEntry, PostedMessage):
        columns = [c for c in kind.__table__.columns if c.name not in NUMBERED]
        wanted = select(*(cast_to(column, Text) for column in columns))
        if kind is TimelineEntry or kind is PostedMessage:
            wanted = wanted.join(Alert, Alert.id == kind.alert_id)
        of_it = (ReceivedEvent if kind is ReceivedEvent else Alert).source_id == source.id
        rows = db.session.execute(wanted.where(of_it)).all()
        found[kind.__tablename__] = sorted((tuple(row) for row in rows), key=repr)
    return found


def a_source(account: Account | None = None) -> AlertSource:
    return db.session.get_one(AlertSource, make_source(account, name="Prometheus")[0].id)


def an_event(type: str, key: str | None, **more: Any) -> IncomingEvent:
    return IncomingEvent(EventType(type), key, **{"summary": f"About {key}"} | more)


def outcomes(events: list[Any]) -> list[Outcome]:
    return [each.outcome for each in events]


@pytest.mark.parametrize("one", [PLAIN, RICH, *ODD], ids=range(2 + len(ODD)))
def test_an_alert_is_stored_with_others_as_it_is_alone(app: Flask, one: IncomingEvent) -> None:
    other = IncomingEvent(EventType.ALERT, "other", summary="Another")
    with app.app_context(), time_machine.travel(NOON, tick=False):
        alone, together = a_source(), a_source()
        make_action(alone)
        make_action(together)
        receive.receive_all(alone, [one])
        receive.receive_all(alone, [other])
        receive.receive_all(together, [one, other])
        assert stored(together) == stored(alone)
        assert all(len(rows) >= 2 for rows in stored(alone).values())


def test_what_one_body_says_of_one_alert_happens_in_its_order(app: Flask, cast: Cast) -> None:
    with app.app_context():
        source = a_source(cast.account)
        receive.receive_all(source, [an_event("ALERT", "a"), an_event("ALERT", "b")])
        said = [IncomingComment("Ann", "Look")]
        body = [
            an_event("RESOLVE", " A "),
            an_event("ACCEPT", "B"),
            an_event("ALERT", "a", comments=said),  # a new one
            an_event("ALERT", "c"),
            an_event("ALERT", "b", labels={"disk": "1"}),
            an_event("ACCEPT", "c"),
            an_event("ACCEPT", "C "),
            an_event("COMMENT", "a", comments=said),
            an_event("ALERT", " "),
            an_event("RESOLVE", ""),
            an_event("ALERT", "A"),
            an_event("RESOLVE", "a"),
            an_event("RESOLVE", "a"),
            an_event("ALERT", "a"),  # one more
        ]
        assert outcomes(receive.receive_all(source, body)) == [
            Outcome.RESOLVED,
            Outcome.ACKNOWLEDGED,
            Outcome.OPENED,
            Outcome.OPENED,
            Outcome.JOINED,
            Outcome.ACKNOWLEDGED,
            Outcome.ALREADY_ACKNOWLEDGED,
            Outcome.COMMENTED,
            Outcome.OPENED,
            Outcome.NO_OPEN_ALERT,
            Outcome.JOINED,
            Outcome.RESOLVED,
            Outcome.NO_OPEN_ALERT,
            Outcome.OPENED,
        ]
        assert [
            timeline(alert) for alert in db.session.scalars(select(Alert).order_by(Alert.id))
        ] == [
            ("a", "resolved", 1, ["created", "resolved"]),
            ("b", "acknowledged", 2, ["created", "acknowledged", "event_received"]),
            (
                "a",
                "resolved",
                2,
                ["created", "comment_added", "comment_added", "event_received", "resolved"],
            ),
            ("c", "acknowledged", 1, ["created", "acknowledged"]),
            (None, "pending", 1, ["created"]),
            ("a", "pending", 1, ["created"]),
        ]


def timeline(alert: Alert) -> tuple[str | None, str, int, list[str]]:
    wanted = select(TimelineEntry.kind).where(TimelineEntry.alert_id == alert.id)
    kinds = db.session.scalars(wanted.order_by(TimelineEntry.id))
    return alert.alert_key, alert.status, alert.event_count, [each.value for each in kinds]


@pytest.mark.parametrize("answer", ["ACCEPT", "RESOLVE"])
@pytest.mark.parametrize("others", [0, 2])
def test_nobody_is_woken_for_an_alert_that_its_own_body_has_answered(
    app: Flask, cast: Cast, answer: str, others: int
) -> None:
    with app.app_context():
        source = a_source(cast.account)
        make_policy(cast.account, [cast.ada], [cast.bob], source=source)
        make_action(source, creates_channel=True)
        db.session.refresh(source)
        pending = [an_event("ALERT", f"other {number}") for number in range(others)]
        body = [an_event("ALERT", "a"), *pending, an_event(answer, "a")]
        answered = receive.receive_all(source, body)[0].alert_id
        asked = list(db.session.scalars(select(Responder.alert_id)))
        assert len(asked) == others
        assert answered not in asked
        told = select(Notification).where(Notification.alert_id == answered)
        assert db.session.scalars(told).all() == []
        climb = db.session.scalars(
            select(AlertEscalation).where(AlertEscalation.alert_id == answered)
        ).one()
        assert (climb.level, climb.next_step_at, len(climb.rules)) == (0, None, 2)
        channels = list(db.session.scalars(select(DedicatedChannel.alert_id)))
        assert (answered in channels) is (answer == "ACCEPT")
        assert len(channels) == others + (answer == "ACCEPT")


@pytest.mark.parametrize("key", [None, "disk {}"])
def test_a_thousand_new_alerts_of_one_body_take_as_many_statements_as_ten(
    app: Flask, cast: Cast, key: str | None
) -> None:
    with app.app_context():
        source = a_source(cast.account)
        make_action(source)
        ten, thousand = (statements(source, number, key) for number in (10, 1000))
        assert thousand < ten + 10  # one more for what only a few have
        assert db.session.scalar(select(func.count()).select_from(Alert)) == 1010


def statements(source: AlertSource, number: int, key: str | None) -> int:
    seen = []

    def note(*about: Any) -> None:
        seen.append(about[2])

    body = [an_event("ALERT", key and f"{number} {key.format(each)}") for each in range(number)]
    event.listen(db.engine, "before_cursor_execute", note)
    try:
        receive.receive_all(source, body)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)


def test_bodies_that_name_the_same_alerts_in_another_order_open_each_once(
    app: Flask, cast: Cast
) -> None:
    keys = [f"disk {number}" for number in range(60)]
    orders = [keys, keys[::-1], keys[30:] + keys[:30], keys[::2] + keys[1::2]]
    with app.app_context():
        source = a_source(cast.account)
        make_action(source)
        source_id = source.id

    def send(order: list[str]) -> list[Outcome]:
        with app.app_context():
            source = db.session.get_one(AlertSource, source_id)
            return outcomes(receive.receive_all(source, [an_event("ALERT", k) for k in order]))

    with ThreadPoolExecutor(len(orders)) as threads:
        found = [outcome for each in threads.map(send, orders) for outcome in each]
    assert found.count(Outcome.OPENED) == 60
    assert found.count(Outcome.JOINED) == 180
    with app.app_context():
        assert set(db.session.scalars(select(Alert.event_count))) == {4}


def test_a_body_that_cannot_be_stored_leaves_nothing_behind_for_the_next_one(
    app: Flask, cast: Cast
) -> None:
    with app.app_context():
        source = a_source(cast.account)
        make_action(source)
        receive.receive_all(source, [an_event("ALERT", "a")])
        body = [
            an_event("ACCEPT", "a"),
            an_event("ALERT", "b"),
            an_event("ALERT", "c", details="\0"),
        ]
        with pytest.raises(SQLAlchemyError):
            receive.receive_all(source, body)
        db.session.rollback()
        body = [an_event("ALERT", "a"), an_event("ALERT", "b"), an_event("ALERT", "c")]
        assert outcomes(receive.receive_all(source, body)) == [
            Outcome.JOINED,
            Outcome.OPENED,
            Outcome.OPENED,
        ]
        assert set(db.session.scalars(select(Alert.status))) == {"pending"}
        shown = select(PostedMessage.wanted_version).order_by(PostedMessage.alert_id)
        assert list(db.session.scalars(shown)) == [2, 1, 1]


def test_a_disabled_source_opens_nothing_and_ends_what_is_open(app: Flask, cast: Cast) -> None:
    with app.app_context():
        source = a_source(cast.account)
        receive.receive_all(source, [an_event("ALERT", "a"), an_event("ALERT", "b")])
        source.disabled_at = NOON
        body = [an_event("ALERT", "a"), an_event("ALERT", "c"), an_event("RESOLVE", "b")]
        assert outcomes(receive.receive_all(source, body)) == [
            Outcome.SOURCE_DISABLED,
            Outcome.SOURCE_DISABLED,
            Outcome.RESOLVED,
        ]
        assert list(db.session.scalars(select(Alert.event_count))) == [1, 1]
