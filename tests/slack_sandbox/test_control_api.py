"""Can a test in another process steer everything over HTTP?"""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk import WebClient

from portal.slack_sandbox import Sandbox

from .conftest import CALLBACK, App, authorize_url
from .test_control import BUTTONS
from .test_modals import modal
from .test_rules import QUIET
from .test_web_api import refusal

Control = Callable[..., Any]


@pytest.fixture
def control(sandbox: Sandbox) -> Control:
    """Ask /_sandbox/<what>; a dict as body makes it a POST. Returns the JSON of any answer."""

    def ask(what: str, body: Any = None, verb: str = "", **headers: str) -> Any:
        data = None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **headers}
        request = urllib.request.Request(
            f"{sandbox.url}/_sandbox/{what}", data, sent, method=verb or None
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                text = refused.read().decode()
            return json.loads(text) if text.startswith("{") else {"status": refused.code}

    return ask


def test_a_whole_story_can_be_told_over_http(sandbox: Sandbox, control: Control, app: App) -> None:
    installed = control("install", {"team_id": "T0ACME", "user_id": "U0OLIVIA"})
    slack = WebClient(installed["token"], base_url=sandbox.api_url)
    ts = slack.chat_postMessage(channel="C0OPS", text="Fire", blocks=BUTTONS, **QUIET)["ts"]
    place = {"channel_id": "C0OPS", "ts": ts, "user_id": "U0ADA"}
    delivery = control("act/click", {**place, "action_id": "Go"})
    assert (delivery["status"], delivery["verdict"]) == (200, "ok")
    assert len(app.received) == 1
    assert control("deliveries?kind=block_actions")[0]["seq"] == delivery["seq"]
    assert [m["text"] for m in control("messages?channel=C0OPS")] == ["Fire"]
    assert control("requests?method=chat.postMessage")[0]["arguments"]["channel"] == "C0OPS"
    assert control("violations") == []


def test_a_reset_returns_all_ids_and_secrets_and_ends_the_tokens(
    sandbox: Sandbox, slack: WebClient, control: Control
) -> None:
    state = control("reset", {})
    assert state["app"]["signing_secret"] == sandbox.signing_secret
    assert set(state["workspaces"]) == {"T0ACME", "T0BETA", "T0GAMMA"}
    assert state["installations"] == {}
    assert refusal(slack.auth_test) == "invalid_auth"


def test_thousands_of_channels_can_be_seeded_and_paged_through(
    sandbox: Sandbox, control: Control, install: Callable[..., WebClient]
) -> None:
    control("seed", {"name": "many_channels"})
    slack, cursor, found, pages = install(), "", 0, 0
    while pages == 0 or cursor:
        answer = slack.conversations_list(limit=999, cursor=cursor)
        found, pages = found + len(answer["channels"]), pages + 1
        cursor = answer["response_metadata"]["next_cursor"]
    assert found == 2_506
    assert pages > 3
    assert "there are default" in control("seed", {"name": "nonsense"})["error"]


def test_consent_can_be_given_or_denied_without_a_browser(
    sandbox: Sandbox, control: Control
) -> None:
    question = {"authorize_url": authorize_url(sandbox), "without": "groups:read"}
    callback = control("consent", question)["answer"]
    assert callback.startswith(f"{CALLBACK}?code=")
    (code,) = sandbox.platform.world.codes.values()
    assert "groups:read" not in code.scopes
    assert "error=access_denied" in control("consent", {**question, "allow": False})["answer"]
    wrong = {"authorize_url": authorize_url(sandbox, scope="admin")}
    assert control("consent", wrong) == {"error": "invalid_scope"}


def test_waiting_ends_as_soon_as_the_request_arrives(slack: WebClient, control: Control) -> None:
    since = control("requests")[-1]["seq"]
    threading.Timer(0.2, slack.auth_test).start()
    started = time.monotonic()
    (request,) = control(f"requests?method=auth.test&since={since}&wait=10")
    assert request["decision"] == "ok"
    assert time.monotonic() - started < 8
    assert control("requests?method=users.list&wait=0.05") == []


def test_faults_are_added_listed_and_cleared(slack: WebClient, control: Control) -> None:
    control("faults", {"effect": "error", "error": "fatal_error"})
    assert control("faults")[0]["error"] == "fatal_error"
    assert refusal(slack.auth_test) == "fatal_error"
    control("faults", verb="DELETE")
    assert slack.auth_test()["ok"]
    assert control("faults", {"scene": "down"})["status"] == 503
    assert "effect must be one of" in control("faults", {"effect": "explode"})["error"]


def test_the_clock_expires_codes_addresses_and_windows(
    sandbox: Sandbox, slack: WebClient, control: Control, app: App
) -> None:
    callback = sandbox.consent(authorize_url(sandbox), "T0BETA", "U0BEA")
    ts = slack.chat_postMessage(channel="C0OPS", text="x", blocks=BUTTONS, **QUIET)["ts"]
    address = sandbox.click("C0OPS", ts, "Go", "U0ADA").payload["response_url"]
    for _ in range(20):
        slack.conversations_list()
    assert refusal(slack.conversations_list) == "ratelimited"
    frozen = control("clock", {"freeze": True, "advance": 1_801})
    assert frozen["frozen"] is True
    assert slack.conversations_list()["ok"]
    request = urllib.request.Request(address, b'{"text":"x"}', {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as gone:
        urllib.request.urlopen(request)
    gone.value.close()
    assert gone.value.code == 404
    exchange = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    code = callback.partition("code=")[2].partition("&")[0]
    arguments = {**exchange, "code": code, "redirect_uri": CALLBACK}
    assert (
        refusal(WebClient(base_url=sandbox.api_url).oauth_v2_access, **arguments) == "invalid_code"
    )
    assert control("clock", {"real": True})["frozen"] is False


def test_administrators_can_do_everything_an_app_has_to_survive(
    sandbox: Sandbox, slack: WebClient, control: Control
) -> None:
    control("admin/rename", {"channel": "C0OPS", "name": "operations"})
    assert slack.conversations_info(channel="C0OPS")["channel"]["name"] == "operations"
    control("admin/change_email", {"user": "U0ADA", "email": "ada@new.example"})
    assert slack.users_lookupByEmail(email="ada@new.example")["user"]["id"] == "U0ADA"
    control("admin/deactivate", {"user": "U0ADA"})
    assert refusal(slack.users_lookupByEmail, email="ada@new.example") == "users_not_found"
    control("admin/make_guest", {"user": "U0UMA", "single_channel": True})
    assert slack.users_info(user="U0UMA")["user"]["is_ultra_restricted"] is True
    control("admin/delete", {"channel": "C0DB"})
    assert refusal(slack.conversations_info, channel="C0DB") == "channel_not_found"
    control("admin/share", {"channel": "C0OPS", "team_id": "T0BETA"})
    assert slack.conversations_info(channel="C0OPS")["channel"]["is_ext_shared"] is True
    control("admin/restrict_posting", {"channel": "C0OPS", "to": "admins"})
    arguments = {"channel": "C0OPS", "text": "x"}
    assert refusal(slack.chat_postMessage, **arguments) == "restricted_action_read_only_channel"
    control("admin/revoke", {"team_id": "T0ACME"})
    assert refusal(slack.auth_test) == "token_revoked"
    assert "not installed" in control("admin/uninstall", {"team_id": "T0ACME"})["error"]


def test_uninstalling_can_be_forbidden_to_the_app(
    sandbox: Sandbox, slack: WebClient, control: Control
) -> None:
    control("admin/switch", {"uninstall_permitted": False})
    own = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    assert refusal(slack.apps_uninstall, **own) == "no_permission"
    assert "no switch" in control("admin/switch", {"nonsense": 1})["error"]


@pytest.mark.parametrize(
    ("mutation", "expected"),
    [
        ({}, []),
        ({"skew": -301}, ["timestamp", "signature"]),
        ({"secret": "another"}, ["signature"]),
        ({"changed_body": "payload=%7B%7D"}, ["body"]),
        ({"headers": {"X-Slack-Signature": "v0=é"}}, ["signature"]),
    ],
)
def test_forged_requests_can_be_delivered(
    sandbox: Sandbox, control: Control, app: App, mutation: dict[str, Any], expected: list[str]
) -> None:
    sandbox.clock(freeze=True)
    payload = {"type": "block_actions", "api_app_id": "A0OTHER"}
    good = control("deliver", {"payload": payload})
    sent = control("deliver", {"payload": payload, **mutation})
    same = {
        "timestamp": good["headers"]["X-Slack-Request-Timestamp"]
        == sent["headers"]["X-Slack-Request-Timestamp"],
        "signature": good["headers"]["X-Slack-Signature"] == sent["headers"]["X-Slack-Signature"],
        "body": good["body"] == sent["body"],
    }
    assert [name for name, is_same in same.items() if not is_same] == expected
    assert len(app.received) == 2


def test_other_sites_cannot_steer_it(control: Control) -> None:
    refused = control("reset", {}, **{"Sec-Fetch-Site": "cross-site"})
    assert refused == {"status": 403}


@pytest.mark.parametrize(
    ("what", "body"),
    [("nonsense", {}), ("admin/nonsense", {}), ("admin/rename", {"nonsense": 1}), ("reset", [1])],
)
def test_a_wrong_question_is_refused(control: Control, what: str, body: Any) -> None:
    assert control(what, body)["status"] in (400, 404)


def test_what_people_do_can_be_done_over_http(
    sandbox: Sandbox, slack: WebClient, control: Control, app: App
) -> None:
    where = {"channel_id": "C0OPS", "user_id": "U0ADA"}
    said = control("act/message", {**where, "text": "It burns"})
    control("act/reply", {**where, "ts": said["ts"], "text": "On it"})
    assert [m["text"] for m in control("messages?channel=C0OPS")] == ["It burns", "On it"]
    asked = {**where, "team_id": "T0ACME", "command": "/on-call", "text": "db"}
    assert control("act/command", asked)["verdict"] == "ok"
    assert "not a valid command" in control("act/command", {**asked, "command": "/no"})["error"]
    shortcut = control("act/shortcut", {"user_id": "U0ADA", "callback_id": "create"})
    slack.views_open(trigger_id=shortcut["payload"]["trigger_id"], view=modal())
    assert control("views?user=U0ADA")["modal"]["title"]["text"] == "Create alert"
    assert "required" in control("act/submit", {"user_id": "U0ADA"})["error"]
    submitted = control("act/submit", {"user_id": "U0ADA", "values": {"summary": "Fire"}})
    assert submitted["kind"] == "view_submission"
    assert control("views?user=U0ADA") == {"modal": None, "home": None}
    assert app.sent()["view"]["state"]["values"]["summary"]["typed"]["value"] == "Fire"
