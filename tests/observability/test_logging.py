"""Can what happened in one request be found in the log, by the id that its answer carries?"""

import json
import logging
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.observability.logging import configure

Lines = list[dict[str, object]]


@pytest.fixture
def restored() -> Iterator[None]:
    """Other tests listen to the log as pytest set it up."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("restored")
def test_every_line_of_a_request_carries_the_id_of_its_answer(
    client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("INFO")
    first = client.get("/login", headers={"X-Request-ID": "from-the-proxy"})
    second = client.get("/login", headers={"X-Request-ID": "not an id\t"})
    lines: Lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    answered = [line for line in lines if line["event"] == "request_answered"]
    assert first.headers["X-Request-ID"] == "from-the-proxy"
    assert second.headers["X-Request-ID"] not in ("from-the-proxy", "not an id\t")
    assert [line["request_id"] for line in answered] == [
        first.headers["X-Request-ID"],
        second.headers["X-Request-ID"],
    ]
    assert answered[0] | {"endpoint": "login.show", "status": 200, "method": "GET"} == answered[0]


@pytest.mark.usefixtures("restored")
def test_a_fault_is_logged_with_its_trace_and_the_reference_that_the_person_reads(
    app: Flask,
    client: FlaskClient,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken() -> str:
        raise RuntimeError("xoxb-1-secret fell over")

    monkeypatch.setitem(app.view_functions, "login.show", broken)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    configure("INFO")
    answer = client.get("/login")
    lines: Lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (fault,) = [line for line in lines if line["level"] == "error"]
    assert answer.status_code == 500
    assert fault["request_id"] == answer.headers["X-Request-ID"]
    assert str(fault["request_id"]) in answer.text
    assert "RuntimeError" in str(fault["exception"])
    assert "xoxb" not in str(fault)
