"""Does a body in our own format mean what product.md section 9 says?"""

import json
from typing import Any

import pytest

from portal.domain.alerts.incoming import EventType, IncomingComment, IncomingEvent
from portal.errors import Invalid
from portal.ingest.formats.native import LONGEST_KEY, parse


def parsed(**fields: Any) -> IncomingEvent:
    body = {"integrationKey": "k", "eventType": "ALERT", "summary": "Disk full"} | fields
    return parse(json.dumps(body).encode())[1]


def test_every_field_arrives() -> None:
    event = parsed(
        alertKey=" db-1 ",
        details="**full**",
        priority="LOW",
        severity=2,
        routingKey=" db, web ",
        links=[{"href": "https://example.com/runbook", "text": "Runbook"}],
        images=[{"src": "https://example.com/a.png", "href": "https://example.com", "alt": "A"}],
        labels={"host": "db-1"},
        customDetails={"free": [1, None]},
        comments=[{"creator": "Ada", "content": "Again"}],
    )
    assert event == IncomingEvent(
        type=EventType.ALERT,
        alert_key="db-1",
        summary="Disk full",
        details="**full**",
        priority="LOW",
        severity=2,
        routing_key="db, web",
        links=[{"href": "https://example.com/runbook", "text": "Runbook"}],
        images=[{"src": "https://example.com/a.png", "href": "https://example.com", "alt": "A"}],
        labels={"host": "db-1"},
        custom_details={"free": [1, None]},
        comments=[IncomingComment("Ada", "Again")],
    )


@pytest.mark.parametrize("name", ["integrationKey", "apiKey"])
def test_the_key_may_have_its_newer_or_its_older_name(name: str) -> None:
    body = {name: " secret ", "eventType": "ALERT", "summary": "Disk full"}
    assert parse(json.dumps(body).encode())[0] == "secret"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"integrationKey": None}, "integrationKey"),
        ({"integrationKey": "  "}, "integrationKey"),
        ({"integrationKey": 7}, "integrationKey"),
        ({"eventType": None}, "eventType"),
        ({"eventType": "alert"}, "eventType"),
        ({"eventType": ["ALERT"]}, "eventType"),
        ({"summary": None}, "summary"),
        ({"summary": " \n"}, "summary"),
        ({"summary": 5}, "summary"),
        ({"details": {"a": 1}}, "details"),
        ({"eventType": "ACCEPT"}, "alertKey"),
        ({"eventType": "RESOLVE", "alertKey": " "}, "alertKey"),
        ({"eventType": "COMMENT"}, "alertKey"),
        ({"alertKey": 12}, "alertKey"),
        ({"alertKey": "x" * (LONGEST_KEY + 1)}, "alertKey"),
        ({"priority": "URGENT"}, "priority"),
        ({"severity": "SEV1"}, "severity"),
        ({"severity": "1"}, "severity"),
        ({"severity": 0}, "severity"),
        ({"severity": 6}, "severity"),
        ({"severity": 1.5}, "severity"),
        ({"severity": True}, "severity"),
        ({"links": {"href": "https://example.com"}}, "links"),
        ({"links": ["https://example.com"]}, "links.0"),
        ({"links": [{"href": 1}]}, "links.0.href"),
        ({"images": "https://example.com/a.png"}, "images"),
        ({"labels": {"a": 1}}, "labels.a"),
        ({"labels": ["a"]}, "labels"),
        ({"comments": [{"creator": "Ada"}]}, "comments.0.content"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        parsed(**fields)
    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field}: ")


def test_unknown_fields_and_null_are_no_error() -> None:
    event = parsed(services=[1], logs="x", routingKey=None, surprise=1, severity=None, links=None)
    assert event == parsed()


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)",
        "ftp://example.com",
        "//example.com",
        "http://",
        "http://[",
        "",
        "https://a b",
    ],
)
def test_a_link_that_is_not_for_the_web_is_dropped_and_noted(href: str) -> None:
    event = parsed(links=[{"href": href, "text": "x"}, {"href": "HTTPS://example.com/"}])
    assert event.links == [{"href": "HTTPS://example.com/", "text": ""}]
    assert event.notes == ["links.0.href was dropped: it is not an http or https address."]


def test_an_image_loses_only_its_bad_link() -> None:
    event = parsed(
        images=[
            {"src": "data:image/png;base64,AAAA"},
            {"src": "https://example.com/a.png", "href": "javascript:alert(1)", "alt": "A"},
        ]
    )
    assert event.images == [{"src": "https://example.com/a.png", "href": "", "alt": "A"}]
    assert len(event.notes) == 2
