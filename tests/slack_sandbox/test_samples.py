"""Do answers and blocks have the shapes that Slack publishes? Needs Slack's sample data."""

import json
import os
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient

from portal.slack_sandbox import Sandbox
from portal.slack_sandbox.block_kit.check import problems_of

from .conftest import App
from .test_elements import SEARCH
from .test_interactions import place
from .test_modals import modal, question
from .test_rules import QUIET

FOLDER = os.environ.get("TOCSIN_SLACK_SAMPLES")
pytestmark = pytest.mark.skipif(not FOLDER, reason="TOCSIN_SLACK_SAMPLES names no sample data")
SAMPLES = Path(FOLDER or "nowhere")

MORE_SCOPES = (
    "channels:join team:read channels:manage im:write pins:write pins:read"
    " usergroups:read usergroups:write"
)
PROFILE = {"first_name", "last_name", "title", "phone"}
# Keys that the 2021 data lacks and Slack's current method reference has.
NEWER = {
    "auth.test": {"bot_id", "is_enterprise_install", "app_id"},
    "api.test": {"args"},
    "apps.uninstall": {"uninstalled"},
    "conversations.create": {"num_members"},
    "usergroups.create": {"usergroup"},
    "pins.list": {"edited", "team", "bot_id", "app_id", "bot_profile"},
    "oauth.v2.access": {"is_enterprise_install"},
    "chat.postMessage": {"user", "team", "app_id", "bot_profile", "blocks"},
    "chat.update": {"type", "ts", "team", "bot_id", "app_id", "bot_profile", "text", "edited"},
    "users.info": PROFILE,
    "users.lookupByEmail": PROFILE,
    "users.list": PROFILE,
}


def example(method: str) -> dict[str, Any]:
    text = (SAMPLES / "slack-api-specs" / "openapi_examples.json").read_text()
    answer = json.loads(text)["methods"][method]["ok"]
    assert isinstance(answer, dict)
    return answer


def same_shape(method: str, ours: Any, slacks: Any, at: str = "") -> None:
    """Every key of ours exists in Slack's example, with the same JSON type."""
    if isinstance(ours, dict) and isinstance(slacks, dict):
        for key, value in ours.items():
            if key in slacks and value is not None:
                same_shape(method, value, slacks[key], f"{at}/{key}")
            else:
                assert key in slacks or key in NEWER.get(method, set()), f"{method}: {at}/{key}"
    elif isinstance(ours, list) and isinstance(slacks, list):
        for item in ours[:1] if slacks else []:
            same_shape(method, item, slacks[0], f"{at}/0")
    else:
        assert type(ours) is type(slacks), f"{method}: {at} is {ours!r}, Slack has {slacks!r}"


def test_answers_have_the_keys_and_types_of_the_method_reference(
    sandbox: Sandbox, slack: WebClient
) -> None:
    ts = slack.chat_postMessage(channel="C0OPS", text="x", **QUIET)["ts"]
    sandbox.platform.world.installations["I0001"].scopes += [*MORE_SCOPES.split()]
    sandbox.admin("invite", channel="C0DB")
    arguments: dict[str, dict[str, Any]] = {
        "auth.test": {},
        "chat.postMessage": {"channel": "C0OPS", "text": "x"},
        "chat.update": {"channel": "C0OPS", "ts": ts, "text": "y"},
        "chat.postEphemeral": {"channel": "C0OPS", "user": "U0ADA", "text": "x"},
        "chat.getPermalink": {"channel": "C0OPS", "message_ts": ts},
        "conversations.list": {},
        "conversations.info": {"channel": "C0OPS"},
        "conversations.join": {"channel": "C0OPS"},
        "conversations.members": {"channel": "C0OPS"},
        "users.info": {"user": "U0ADA"},
        "users.lookupByEmail": {"email": "ada@acme.example"},
        "users.list": {"limit": 5},
        "team.info": {},
        "conversations.create": {"name": "made"},
        "conversations.invite": {"channel": "C0DB", "users": "U0STAN"},
        "conversations.open": {"users": "U0ADA"},
        "conversations.setTopic": {"channel": "C0OPS", "topic": "x"},
        "conversations.setPurpose": {"channel": "C0OPS", "purpose": "x"},
        "users.conversations": {},
        "pins.add": {"channel": "C0OPS", "timestamp": ts},
        "pins.list": {"channel": "C0OPS"},
        "usergroups.create": {"name": "On call"},
        "chat.delete": {"channel": "C0OPS", "ts": ts},
        "auth.revoke": {},
    }
    for method, given in arguments.items():
        answer = slack.api_call(method, params=given).data
        same_shape(method, answer, example(method))


BOLT = "bolt-python/bolt_python_payloads.json"
# Not on every workspace or message, or different from sample to sample.
ELSEWHERE = {"enterprise_id", "enterprise_name", "client_msg_id", "blocks", "domain", "state"}


def bolt(kind: str) -> list[dict[str, Any]]:
    """The payloads of one type that Slack's Python framework is tested with."""
    payloads = json.loads((SAMPLES / BOLT).read_text())["payloads"].values()
    return [each for each in payloads if isinstance(each, dict) and each.get("type") == kind]


def missing(ours: Any, slacks: Any, at: str = "") -> set[str]:
    """The keys of Slack's payload that ours lacks, with their place."""
    if not isinstance(ours, dict) or not isinstance(slacks, dict):
        return set()
    told = [key for key in slacks if key not in ELSEWHERE]
    lacking = {f"{at}/{key}" for key in told if key not in ours}
    return lacking.union(*(missing(ours[k], slacks[k], f"{at}/{k}") for k in told if k in ours))


def test_interactions_carry_every_key_that_slack_sends(
    sandbox: Sandbox, slack: WebClient, app: App
) -> None:
    app.answers["/options"] = {"options": []}
    ts = place(slack)
    said = sandbox.say("C0OPS", "U0UMA", "x")
    sent = {"block_actions": sandbox.click("C0OPS", ts, "Go", "U0ADA").payload}
    sent["shortcut"] = sandbox.shortcut("U0ADA", "create").payload
    sent["message_action"] = sandbox.message_shortcut(
        "C0OPS", said["ts"], "U0ADA", "create_from"
    ).payload
    view = modal(question("policy", SEARCH, optional=True), notify_on_close=True)
    slack.views_open(trigger_id=sent["shortcut"]["trigger_id"], view=view)
    sandbox.suggest("U0ADA", "policy", "x")
    sent["block_suggestion"] = app.sent()
    sent["view_submission"] = sandbox.submit_view("U0ADA").payload
    slack.views_open(trigger_id=sent["message_action"]["trigger_id"], view=view)
    (closed,) = sandbox.close_view("U0ADA")
    sent["view_closed"] = closed.payload
    for kind, payload in sent.items():
        for sample in bolt(kind):
            if "workflow_step" not in sample and sample.get("view", {}).get("type") != "home":
                same = {key: sample[key] for key in sample if key != "actions"}
                assert missing(payload, same, kind) == set()


VIEWS = sorted((SAMPLES / "python-slack-sdk" / "views").glob("*.json")) if FOLDER else []


@pytest.mark.parametrize("path", VIEWS, ids=lambda path: path.stem)
def test_blocks_of_real_views_are_accepted(path: Path) -> None:
    view = json.loads(path.read_text())
    view = view.get("view", view)
    assert problems_of(view["blocks"], surface=view["type"]) == []


@pytest.mark.parametrize("path", VIEWS, ids=lambda path: path.stem)
def test_blocks_of_real_views_can_be_posted_and_drawn(
    sandbox: Sandbox, slack: WebClient, path: Path
) -> None:
    view = json.loads(path.read_text())
    blocks = view.get("view", view)["blocks"]
    slack.chat_postMessage(channel="C0OPS", text="x", blocks=blocks, **QUIET)
    assert 'data-channel="C0OPS"' in sandbox_page(sandbox)


def sandbox_page(sandbox: Sandbox) -> str:
    with urllib.request.urlopen(f"{sandbox.url}/w/T0ACME/U0ADA/C0OPS") as answer:
        return str(answer.read().decode())
