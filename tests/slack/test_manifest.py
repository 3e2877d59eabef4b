"""Does the manifest say exactly what the code does? Valid for Slack, and neither more nor less."""

import ast
import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from flask import Flask

import portal.slack
from portal.slack import commands, events, manifest, scopes, shortcuts
from portal.slack_sandbox.events import NEEDED
from tests.slack.conftest import Story
from tests.slack.links import alert
from tests.slack.signed import FORM, signed

URL = "https://alerts.example.com"
# What each method needs, by Slack's method reference (slack.md 4.3); () for none.
METHODS: dict[str, tuple[str, ...]] = {
    "apps.uninstall": (),
    "auth.revoke": (),
    "auth.test": (),
    "bookmarks.add": ("bookmarks:write",),
    "chat.delete": ("chat:write",),
    "chat.getPermalink": (),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write", "chat:write.public"),
    "chat.update": ("chat:write",),
    "conversations.archive": ("channels:manage", "groups:write"),
    "conversations.create": ("channels:manage", "groups:write"),
    "conversations.history": ("channels:history", "groups:history"),
    "conversations.replies": ("channels:history", "groups:history"),
    "conversations.info": ("channels:read", "groups:read"),
    "conversations.invite": ("channels:manage", "groups:write"),
    "conversations.list": ("channels:read", "groups:read"),
    "conversations.members": ("channels:read", "groups:read"),
    "conversations.rename": ("channels:manage", "groups:write"),
    "conversations.setTopic": ("channels:manage", "groups:write"),
    "oauth.v2.access": (),
    "pins.add": ("pins:write",),
    "usergroups.list": ("usergroups:read",),
    "usergroups.users.list": ("usergroups:read",),
    "usergroups.users.update": ("usergroups:write",),
    "users.conversations": ("channels:read", "groups:read"),
    "users.info": ("users:read", "users:read.email"),
    "users.lookupByEmail": ("users:read.email",),
    "views.open": (),
    "views.publish": (),
    "views.push": (),
    "views.update": (),
}
METHOD = re.compile(
    r"(apps|auth|bookmarks|chat|conversations|oauth|pins|team|usergroups|users|views)"
    r"(\.[a-z0-9][A-Za-z0-9]*)+"
)


def ours() -> dict[str, Any]:
    return manifest.build(URL)


def methods_in_the_code() -> set[str]:
    """Every text in portal/slack that is the name of a Web API method."""
    folder = Path(portal.slack.__file__).parent
    found = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} if METHOD.fullmatch(node.value) else set()
    return found - {"users.id"}  # a foreign key


def urls(part: object) -> set[str]:
    if isinstance(part, dict):
        return {url for value in part.values() for url in urls(value)}
    if isinstance(part, list):
        return {url for value in part for url in urls(value)}
    return {part} if isinstance(part, str) and part.startswith("https://") else set()


def test_slack_accepts_it() -> None:
    folder = os.environ.get("TOCSIN_SLACK_SAMPLES")
    if not folder:
        pytest.skip("TOCSIN_SLACK_SAMPLES does not name a folder with Slack's samples")
    schemas = Path(folder) / "manifest-schema"
    for name in ("1.0.0", "2.0.0"):
        schema = json.loads((schemas / "schemas" / f"manifest.schema.{name}.json").read_text())
        check = jsonschema.Draft7Validator(schema)
        assert [problem.message for problem in check.iter_errors(ours())] == [], name
    wrong = json.loads((schemas / "examples" / "v2" / "manifest.invalid.json").read_text())
    assert list(check.iter_errors(wrong))  # so the schema does refuse something


def test_its_addresses_are_routes_and_slacks_routes_are_its_addresses(portal_app: Flask) -> None:
    routes = portal_app.url_map.bind("alerts.example.com")
    (back,) = ours()["oauth_config"]["redirect_urls"]
    assert routes.match(urlsplit(back).path, method="GET")[0] == "connectors.callback"
    called = {urlsplit(url).path for url in urls(ours()) - {back}}
    for path in called:
        assert routes.match(path, method="POST")[0].startswith("slack."), path
    open_to_slack = {
        rule.rule for rule in portal_app.url_map.iter_rules() if rule.endpoint.startswith("slack.")
    }
    without_commands = set() if ours()["features"].get("slash_commands") else {"/slack/commands"}
    assert called == open_to_slack - without_commands


def test_its_events_are_those_that_are_handled() -> None:
    subscribed = ours()["settings"]["event_subscriptions"]["bot_events"]
    handled = {"message" if name.startswith("message.") else name for name in subscribed}
    assert handled == set(events.HANDLERS)
    for name in subscribed:
        assert not NEEDED.get(name) or set(NEEDED[name]) & set(scopes.ALL), name


def test_its_scopes_are_those_that_are_needed() -> None:
    asked = ours()["oauth_config"]["scopes"]
    assert set(asked["bot"]) == set(scopes.ALL)
    assert set(asked["bot_optional"]) == set(scopes.OPTIONAL)
    assert not set(scopes.REQUIRED) & set(scopes.OPTIONAL)
    used = methods_in_the_code()
    assert {"chat.postMessage", "auth.test", "conversations.list"} <= used
    assert used <= set(METHODS), "say here which scopes the new method needs"
    needed = {scope for method in used for scope in METHODS[method]}
    assert needed <= set(scopes.ALL) | {"channels:history", "groups:history"}
    features = ours()["features"]
    for name in ours()["settings"]["event_subscriptions"]["bot_events"]:
        needed |= set(NEEDED.get(name, ()))
    needed |= {"commands"} if features.get("slash_commands") or features.get("shortcuts") else set()
    assert set(scopes.ALL) <= needed, "a scope that nothing uses must not be asked for"


def test_every_scope_has_a_feature_that_says_what_is_off_without_it() -> None:
    told = {scope for feature in scopes.FEATURES for scope in feature.scopes}
    assert told == set(scopes.ALL)


def test_its_commands_are_answered_and_others_are_not(app: Flask) -> None:
    def say(command: str) -> str:
        body = f"command=%2F{command.removeprefix('/')}&team_id=T0ACME&user_id=U0ADA&text="
        answer = app.test_client().post("/slack/commands", **signed(body, FORM))
        assert answer.status_code == 200
        return str(answer.get_json()["text"])

    assert say("/no-such-command") == commands.NO_COMMAND
    for command in ours()["features"].get("slash_commands", []):
        assert say(command["command"]) != commands.NO_COMMAND, command


def test_its_shortcuts_open_a_window(story: Story) -> None:
    """Those of the code as well as those of the manifest, or people would find one that is dead."""
    olivia = story.people()["olivia"]
    story.link(olivia)
    alert(story, olivia)  # so that there is a source to choose
    declared = {each["callback_id"]: each["type"] for each in ours()["features"]["shortcuts"]}
    assert set(declared) == {shortcuts.CREATE, shortcuts.CREATE_FROM_MESSAGE}
    message = story.sandbox.say("C0OPS", "U0UMA", "The printer burns")
    for opened, (callback_id, kind) in enumerate(declared.items(), start=1):
        if kind == "global":
            story.sandbox.shortcut("U0UMA", callback_id)
        else:
            story.sandbox.message_shortcut("C0OPS", message["ts"], "U0UMA", callback_id)
        story.work()
        assert len(story.sandbox.requests(method="views.open")) == opened, callback_id
