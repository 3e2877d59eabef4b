"""Does everything survive what happens to real processes? Each test runs them and breaks something."""

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest
import requests

from portal import processes
from tests.benchmarks import crashes
from tests.benchmarks.lab import Lab
from tests.benchmarks.lab import lab as a_lab

ROUNDS = 3  # one for each kind of process; `make bench` does fifty


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with a_lab() as made:
        yield made


def test_kill_9_loses_nothing_and_shows_nothing_twice(lab: Lab) -> None:
    lost, twice, slowest = crashes.rounds(lab, ROUNDS)
    assert (lost, twice) == (0, 0)
    assert slowest < 45  # 20 s, on a machine that does nothing else


def test_without_a_database_an_event_is_refused_with_a_wish_to_try_again(lab: Lab) -> None:
    (channel,) = lab.channels(1)
    key = lab.source(channel)
    assert lab.send(key, "before").status_code == 202
    with lab.without_postgres():
        refused = lab.send(key, "while it is away")
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
    lab.until(lambda: lab.send(key, "after").status_code == 202, "it accepts again by itself")
    lab.until(lambda: lab.messages(channel) != [], "the worker goes on by itself")
    assert lab.sql("SELECT 1 FROM alerts WHERE summary = 'while it is away'") == []


@pytest.mark.parametrize(
    "fault",
    [
        {"effect": "server_error"},
        {"effect": "not_json", "variant": "html"},
        {"effect": "hang", "seconds": 30},
        {"effect": "reset", "after_processing": True},
    ],
    ids=lambda fault: str(fault["effect"]),
)
def test_whatever_slack_does_nothing_is_lost_and_it_goes_on_within_seconds(
    lab: Lab, fault: dict[str, object]
) -> None:
    (channel,) = lab.channels(1)
    lab.control("admin/invite", channel=channel)
    key = lab.source(channel)
    lab.control("faults", **fault)
    calls = len(lab.calls())
    answered = []
    for number in range(5):
        begun = time.monotonic()
        assert lab.send(key, f"{fault['effect']} {number}").status_code == 202
        answered.append(time.monotonic() - begun)
        time.sleep(1)
    assert max(answered) < 3  # senders do not feel it
    assert len(lab.calls()) - calls <= 12  # and Slack is not stormed
    lab.clear_faults()
    shown = "SELECT count(*) FROM posted_messages WHERE channel_id = %s AND shown_at IS NOT NULL"
    lab.until(lambda: lab.sql(shown, channel) == [(5,)], "all are shown", 30)
    texts = [message["text"].partition(" – ")[0] for message in lab.messages(channel)]
    assert len(texts) == len(set(texts)), texts


def test_a_refusal_is_told_within_seconds_and_what_waited_is_sent_once_it_is_mended(
    lab: Lab,
) -> None:
    (channel,) = lab.channels(1)
    key = lab.source(channel)
    told = "SELECT 1 FROM notices WHERE about = %s"
    lab.control("admin/archive", channel=channel)
    assert lab.send(key, "to an archived channel").status_code == 202
    lab.until(lambda: lab.sql(told, f"channel:{channel}") != [], "people are told", 10)
    lab.control("admin/unarchive", channel=channel)
    lab.until(lambda: len(lab.messages(channel)) == 1, "it is sent by itself", 90)

    lab.control("admin/revoke", team_id="T0ACME")
    assert lab.send(key, "without a token").status_code == 202
    lab.until(lambda: lab.sql(told, "slack_link") != [], "the admins are told", 10)
    lab.link()
    lab.until(lambda: len(lab.messages(channel)) == 2, "it is sent by itself")


def test_a_worker_that_stands_still_for_long_and_then_goes_on_shows_nothing_twice(
    lab: Lab,
) -> None:
    (channel,) = lab.channels(1)
    lab.control("admin/invite", channel=channel)
    key = lab.source(channel)
    post = {"method": "chat.postMessage", "channel": channel}
    lab.control("faults", effect="hang", seconds=5, after_processing=True, times=1, **post)
    lab.send(key, "its answer is late")
    lab.until(lambda: lab.messages(channel) != [], "Slack has it and does not answer yet")
    slow = lab.children.pop("worker")
    os.killpg(slow.process.pid, signal.SIGSTOP)
    try:
        lab.start("worker")
        shown = "SELECT count(*) FROM posted_messages WHERE channel_id = %s AND ts IS NOT NULL"
        lab.until(lambda: lab.sql(shown, channel) == [(1,)], "another worker has found it")
    finally:
        os.killpg(slow.process.pid, signal.SIGCONT)
        processes.end([slow])  # it finishes what it does
    lab.send(key, "afterwards")
    lab.until(lambda: lab.sql(shown, channel) == [(2,)], "the next one is shown")
    assert len(lab.messages(channel)) == 2


def test_a_refused_connection_costs_nothing(lab: Lab) -> None:
    (channel,) = lab.channels(1)
    key = lab.source(channel)
    lab.kill("sandbox")
    assert lab.send(key, "nobody there").status_code == 202
    time.sleep(2)
    waiting = "SELECT ts FROM posted_messages WHERE channel_id = %s"
    assert lab.sql(waiting, channel) == [(None,)]
    lab.start("sandbox")  # it has forgotten the workspace: the link is broken now, and said so
    state = "SELECT state FROM slack_installations"
    lab.until(lambda: lab.sql(state) == [("broken",)], "the link is known to be broken")


def test_health_never_waits_for_a_storm(lab: Lab) -> None:
    """Any number of senders at once: the portal's own checks still answer."""
    key = lab.source("C0ALERTS")
    stop = threading.Event()

    def storm() -> None:
        with requests.Session() as sender:
            while not stop.is_set():
                event = {"integrationKey": key, "eventType": "ALERT", "summary": "again and again"}
                sender.post(f"{lab.portal}/api/events", json=event, timeout=20)

    senders = [threading.Thread(target=storm) for _ in range(4)]
    for sender in senders:
        sender.start()
    try:
        for path in ("/healthz", "/readyz", "/metrics"):
            assert requests.get(f"{lab.portal}{path}", timeout=10).status_code == 200
    finally:
        stop.set()
        for sender in senders:
            sender.join()
