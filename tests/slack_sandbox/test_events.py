"""Does the app hear of what happens in Slack, as often, as signed and as late as Slack tells it?"""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import Clock, SignatureVerifier

from portal.slack_sandbox import Sandbox
from portal.slack_sandbox.state import Message

from .conftest import CALLBACK

SCOPES = [
    *("chat:write", "chat:write.public", "channels:read", "groups:read", "users:read"),
    *("users:read.email", "channels:history", "groups:history", "team:read"),
]
EVENTS = [
    *("tokens_revoked", "app_uninstalled", "channel_rename", "group_rename", "channel_archive"),
    *("channel_unarchive", "group_archive", "channel_deleted", "group_deleted", "channel_left"),
    *("group_left", "channel_id_changed", "user_change", "team_join", "team_rename"),
    *("team_domain_change", "member_joined_channel", "message.channels", "message.groups"),
    *("grid_migration_started", "grid_migration_finished"),
]
WAIT = 5.0


@dataclass
class Listener:
    """The app's events address: answers the challenge, then what it is told to answer."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    answers_challenge: bool = True
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def answer(self, body: bytes) -> tuple[int, bytes]:
        sent = json.loads(body)
        if sent["type"] == "url_verification":
            return 200, sent["challenge"].encode() if self.answers_challenge else b"no"
        return self.status, b""


@pytest.fixture
def listener() -> Iterator[Listener]:
    told = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.received.append(({k.lower(): v for k, v in self.headers.items()}, body))
            status, answer = told.answer(body)
            self.send_response(status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the output of the tests quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    yield told
    server.shutdown()
    server.server_close()


def subscribing(url: str) -> dict[str, Any]:
    return {
        "display_information": {"name": "Tocsin"},
        "oauth_config": {"redirect_urls": [CALLBACK], "scopes": {"bot": list(SCOPES)}},
        "settings": {"event_subscriptions": {"request_url": f"{url}/events", "bot_events": EVENTS}},
    }


@pytest.fixture
def sandbox(listener: Listener) -> Iterator[Sandbox]:
    with Sandbox(subscribing(listener.url)) as running:
        running.clock(freeze=1_800_000_000.0)
        yield running


@pytest.fixture
def slack(sandbox: Sandbox) -> WebClient:
    """The app, installed and a member of #ops and of the private #war-room."""
    token = sandbox.install()["token"]
    for channel in ("C0OPS", "C0WAR"):
        sandbox.admin("invite", channel=channel)
    assert len(sandbox.deliveries("member_joined_channel", wait=WAIT, count=2)) == 2
    return WebClient(token=token, base_url=sandbox.api_url, retry_handlers=[], timeout=5)


def heard(sandbox: Sandbox, kind: str, count: int = 1) -> list[dict[str, Any]]:
    """The wrappers of this kind, waited for."""
    found = sandbox.deliveries(kind, wait=WAIT, count=count)
    assert len(found) == count, [each.kind for each in sandbox.deliveries()]
    return [each.payload for each in found]


def test_the_address_is_challenged_before_the_first_event(
    sandbox: Sandbox, slack: WebClient, listener: Listener
) -> None:
    first, second = (json.loads(body) for _, body in listener.received[:2])
    assert first["type"] == "url_verification"
    assert second["event"]["type"] == "member_joined_channel"


def test_an_address_that_does_not_answer_the_challenge_hears_nothing(listener: Listener) -> None:
    listener.answers_challenge = False
    with Sandbox(subscribing(listener.url)) as sandbox:
        sandbox.install()
        sandbox.admin("rename", channel="C0OPS", name="operations")
        assert sandbox.deliveries("url_verification", wait=WAIT, count=2)
        assert {json.loads(body)["type"] for _, body in listener.received} == {"url_verification"}


def test_an_event_is_signed_and_comes_in_the_whole_wrapper(
    sandbox: Sandbox, slack: WebClient, listener: Listener
) -> None:
    sandbox.admin("rename", channel="C0OPS", name="operations")
    [wrapper] = heard(sandbox, "channel_rename")
    headers, body = listener.received[-1]
    timestamp = headers["x-slack-request-timestamp"]
    when_sent = Clock()  # one of our own: the verifiers' default clock is shared by all of them
    when_sent.now = lambda: int(timestamp)  # type: ignore[method-assign]
    sent_now = SignatureVerifier("pretend-signing-secret", when_sent)
    assert sent_now.is_valid(body, timestamp, headers["x-slack-signature"])
    assert json.loads(body) == wrapper
    assert wrapper["event"]["channel"]["name"] == "operations"
    assert (wrapper["type"], wrapper["team_id"]) == ("event_callback", "T0ACME")
    assert wrapper["api_app_id"] == sandbox.app_id
    assert wrapper["event_time"] == 1_800_000_000
    bot = slack.auth_test()["user_id"]
    assert [each["user_id"] for each in wrapper["authorizations"]] == [bot]


def test_only_what_is_subscribed_is_sent(sandbox: Sandbox, slack: WebClient) -> None:
    fewer = subscribing(sandbox.platform.manifest.events_url.removesuffix("/events"))
    fewer["settings"]["event_subscriptions"]["bot_events"] = ["channel_archive"]
    sandbox.set_manifest(fewer)
    sandbox.admin("rename", channel="C0OPS", name="operations")
    sandbox.admin("archive", channel="C0OPS")
    heard(sandbox, "channel_archive")
    assert sandbox.deliveries("channel_rename") == []


def test_an_event_whose_scope_was_not_granted_is_not_sent(
    sandbox: Sandbox, slack: WebClient
) -> None:
    sandbox.admin("take_scope", team_id="T0ACME", scope="users:read")
    sandbox.admin("change_email", user="U0ADA", email="ada@new.example")
    sandbox.admin("rename", channel="C0OPS", name="operations")
    heard(sandbox, "channel_rename")
    assert sandbox.deliveries("user_change") == []


@pytest.mark.parametrize(
    ("operation", "arguments", "kind"),
    [
        ("rename", {"channel": "C0WAR", "name": "peace-room"}, "group_rename"),
        ("archive", {"channel": "C0OPS"}, "channel_archive"),
        ("archive", {"channel": "C0WAR"}, "group_archive"),
        ("unarchive", {"channel": "C0OLD"}, "channel_unarchive"),
        ("delete", {"channel": "C0DB"}, "channel_deleted"),
        ("delete", {"channel": "C0WAR"}, "group_deleted"),
        ("remove", {"channel": "C0OPS"}, "channel_left"),
        ("remove", {"channel": "C0WAR"}, "group_left"),
        ("change_id", {"channel": "C0OPS", "new_id": "C0OTHER"}, "channel_id_changed"),
        ("change_email", {"user": "U0ADA", "email": "ada@new.example"}, "user_change"),
        ("rename_person", {"user": "U0ADA", "real_name": "Ada King"}, "user_change"),
        ("deactivate", {"user": "U0ADA"}, "user_change"),
        ("add_person", {"team_id": "T0ACME", "real_name": "New Hand"}, "team_join"),
        ("rename_workspace", {"team_id": "T0ACME", "name": "Acme Ltd"}, "team_rename"),
        ("change_domain", {"team_id": "T0ACME", "domain": "acme-ltd"}, "team_domain_change"),
    ],
)
def test_what_an_admin_does_reaches_the_app(
    sandbox: Sandbox, slack: WebClient, operation: str, arguments: dict[str, str], kind: str
) -> None:
    sandbox.admin(operation, **arguments)
    [wrapper] = heard(sandbox, kind)
    assert wrapper["event"]["type"] == kind


def test_a_private_channel_without_the_app_stays_unknown(sandbox: Sandbox) -> None:
    sandbox.install()
    sandbox.admin("rename", channel="C0WAR", name="peace-room")
    sandbox.admin("rename", channel="C0OPS", name="operations")
    heard(sandbox, "channel_rename")
    assert sandbox.deliveries("group_rename") == []


@pytest.mark.parametrize(
    "order", ["tokens_revoked app_uninstalled", "app_uninstalled tokens_revoked"]
)
@pytest.mark.parametrize("way", ["admin", "auth.revoke", "apps.uninstall"])
def test_an_uninstallation_is_told_in_either_order(
    sandbox: Sandbox, slack: WebClient, order: str, way: str
) -> None:
    bot = slack.auth_test()["user_id"]
    sandbox.admin("switch", uninstall_events=order)
    if way == "admin":
        sandbox.admin("uninstall", team_id="T0ACME")
    elif way == "auth.revoke":
        slack.auth_revoke()
    else:
        slack.apps_uninstall(client_id=sandbox.client_id, client_secret=sandbox.client_secret)
    [revoked] = heard(sandbox, "tokens_revoked")
    heard(sandbox, "app_uninstalled")
    assert [each.kind for each in sandbox.deliveries()][-2:] == order.split()
    assert revoked["event"]["tokens"]["bot"] == [bot]


def test_after_an_uninstallation_events_stop(sandbox: Sandbox, slack: WebClient) -> None:
    sandbox.hold_events()
    sandbox.admin("uninstall", team_id="T0ACME")
    sandbox.admin("rename", channel="C0OPS", name="operations")
    told = [each.kind for each in sandbox.release_events()]
    assert told == ["tokens_revoked", "app_uninstalled"]


def test_messages_are_told_where_the_app_is_a_member(sandbox: Sandbox, slack: WebClient) -> None:
    slack.chat_postMessage(channel="C0ALERTS", text="unheard")
    parent = slack.chat_postMessage(channel="C0OPS", text="Fire")["ts"]
    slack.chat_postMessage(channel="C0OPS", text="Where?", thread_ts=parent)
    posted, reply = heard(sandbox, "message", count=2)
    assert posted["event"]["text"] == "Fire"
    assert posted["event"]["channel_type"] == "channel"
    assert posted["event"]["bot_id"] == slack.auth_test()["bot_id"]
    assert reply["event"]["thread_ts"] == parent


def test_a_changed_and_a_deleted_message_are_told(sandbox: Sandbox, slack: WebClient) -> None:
    ts = slack.chat_postMessage(channel="C0WAR", text="Fire")["ts"]
    slack.chat_update(channel="C0WAR", ts=ts, text="Out")
    sandbox.admin("delete_message", channel="C0WAR", ts=ts)
    _, changed, deleted = (each["event"] for each in heard(sandbox, "message", count=3))
    assert changed["subtype"] == "message_changed"
    assert (changed["previous_message"]["text"], changed["message"]["text"]) == ("Fire", "Out")
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", ts)
    assert deleted["channel_type"] == "group"


def test_a_failed_event_comes_at_once_after_a_minute_and_after_five(
    sandbox: Sandbox, slack: WebClient, listener: Listener
) -> None:
    listener.status = 503
    sandbox.admin("rename", channel="C0OPS", name="operations")
    heard(sandbox, "channel_rename", count=2)
    sandbox.clock(advance=59)
    assert len(sandbox.deliveries("channel_rename", wait=0.5, count=3)) == 2
    sandbox.clock(advance=1)
    heard(sandbox, "channel_rename", count=3)
    sandbox.clock(advance=300)
    wrappers = heard(sandbox, "channel_rename", count=4)
    assert len({each["event_id"] for each in wrappers}) == 1
    tries = [headers for headers, _ in listener.received[-4:]]
    assert [each.get("x-slack-retry-num") for each in tries] == [None, "1", "2", "3"]
    assert tries[3]["x-slack-retry-reason"] == "http_error"
    sandbox.clock(advance=3600)
    assert len(sandbox.deliveries("channel_rename", wait=0.5, count=5)) == 4


def test_the_app_can_ask_not_to_be_told_again(
    sandbox: Sandbox, slack: WebClient, listener: Listener
) -> None:
    listener.status, listener.headers = 500, {"X-Slack-No-Retry": "1"}
    sandbox.admin("rename", channel="C0OPS", name="operations")
    heard(sandbox, "channel_rename")
    assert len(sandbox.deliveries("channel_rename", wait=0.5, count=2)) == 1


def test_every_success_counts_not_only_200(
    sandbox: Sandbox, slack: WebClient, listener: Listener
) -> None:
    listener.status = 204
    sandbox.admin("rename", channel="C0OPS", name="operations")
    [delivery] = sandbox.deliveries("channel_rename", wait=WAIT)
    assert delivery.verdict == "ok"


def test_any_event_can_be_sent_by_hand_late_and_doubled(
    sandbox: Sandbox, slack: WebClient, listener: Listener
) -> None:
    event = {"type": "app_uninstalled"}
    sent = sandbox.send_event("T0ACME", event, event_id="Ev1", event_time=1_700_000_000.0, times=2)
    assert [each.verdict for each in sent] == ["ok", "ok"]
    assert {each.payload["event_id"] for each in sent} == {"Ev1"}
    assert {each.payload["event_time"] for each in sent} == {1_700_000_000}
    assert listener.received[-1][0]["x-slack-retry-num"] == "1"
    strange = sandbox.send_event("T0NOBODY", event, times=3, at_once=True)
    assert [each.payload["team_id"] for each in strange] == ["T0NOBODY"] * 3


def test_held_events_leave_in_any_order(sandbox: Sandbox, slack: WebClient) -> None:
    sandbox.hold_events()
    sandbox.admin("rename", channel="C0OPS", name="operations")
    sandbox.admin("archive", channel="C0OPS")
    assert sandbox.deliveries("channel_archive") == []
    sent = sandbox.release_events([1, 0, 1])
    assert [each.kind for each in sent] == ["channel_archive", "channel_rename", "channel_archive"]
    sandbox.admin("unarchive", channel="C0OPS")
    heard(sandbox, "channel_unarchive")


def test_an_external_person_in_a_shared_channel_is_told_apart(
    sandbox: Sandbox, slack: WebClient
) -> None:
    sandbox.admin("invite", channel="C0PARTNERS")
    platform = sandbox.platform
    with platform.changing():
        for user in ("U0BEA", "U0UMA"):
            platform.keep(Message("C0PARTNERS", platform.next_ts(), "T0ACME", user, "hello"))
    outside, inside = (each for each in heard(sandbox, "message", count=2))
    assert outside["is_ext_shared_channel"] is True
    assert outside["event"]["user_team"] == "T0BETA"
    assert "user_team" not in inside["event"]
    assert inside["event"]["client_msg_id"] != outside["event"]["client_msg_id"]


def test_a_workspace_moves_into_an_organization(sandbox: Sandbox, slack: WebClient) -> None:
    sandbox.admin("migrate", team_id="T0ACME", seconds=60)
    heard(sandbox, "grid_migration_started")
    with pytest.raises(SlackApiError, match="team_added_to_org"):
        slack.auth_test()
    assert sandbox.deliveries("grid_migration_finished") == []
    sandbox.clock(advance=60)
    [finished] = heard(sandbox, "grid_migration_finished")
    assert finished["event"]["enterprise_id"] == "E0GLOBEX"
    assert finished["event_time"] == 1_800_000_060
    assert slack.auth_test()["enterprise_id"] == "E0GLOBEX"


def test_events_are_steered_over_http_as_well(sandbox: Sandbox, slack: WebClient) -> None:
    def post(what: str, **sent: Any) -> Any:
        answer = requests.post(f"{sandbox.url}/_sandbox/{what}", json=sent, timeout=5)
        answer.raise_for_status()
        return answer.json()

    [sent] = post("events/send", team_id="T0ACME", event={"type": "app_uninstalled"})
    assert (sent["kind"], sent["verdict"]) == ("app_uninstalled", "ok")
    post("events/hold")
    post("admin/rename", channel="C0OPS", name="operations")
    assert [each["kind"] for each in post("events/release")] == ["channel_rename"]
    assert post("events/verify")["verdict"] == "ok"


def test_the_app_hears_that_it_joined_a_channel(sandbox: Sandbox) -> None:
    manifest = sandbox.platform.manifest.document
    manifest["oauth_config"]["scopes"]["bot"].append("channels:join")
    client = WebClient(sandbox.install()["token"], base_url=sandbox.api_url)
    client.conversations_join(channel="C0OPS")
    [joined] = heard(sandbox, "member_joined_channel")
    assert joined["event"]["user"] == client.auth_test()["user_id"]


def test_what_people_write_in_a_thread_reaches_the_app_until_it_is_deleted(
    sandbox: Sandbox, slack: WebClient
) -> None:
    parent = slack.chat_postMessage(channel="C0OPS", text="Fire")["ts"]
    ts = sandbox.reply("C0OPS", parent, "U0ADA", "Where?")["ts"]
    sandbox.admin("edit_message", channel="C0OPS", ts=ts, text="Where is it?")
    sandbox.admin("delete_message", channel="C0OPS", ts=ts)
    told = [each["event"] for each in heard(sandbox, "message", count=4)][1:]
    assert [each.get("subtype") for each in told] == [None, "message_changed", "message_deleted"]
    written, changed, deleted = told
    assert (written["user"], written["thread_ts"]) == ("U0ADA", parent)
    assert written["parent_user_id"] == slack.auth_test()["user_id"]
    assert changed["message"]["text"] == "Where is it?"
    assert changed["message"]["edited"]["user"] == "U0ADA"
    assert deleted["deleted_ts"] == ts
