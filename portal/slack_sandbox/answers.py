"""What does the app's answer to a submitted modal do? Slack docs: view_submission."""

import json
from collections.abc import Callable
from typing import Any

from . import views
from .platform import Platform
from .state import World
from .surfaces import View
from .web_api.call import SlackError


class Bad(Exception):
    """Slack would show its trouble-connecting error; the message says why."""


def follow(platform: Platform, view: View, answer: str) -> str:
    """Close the modal on an empty answer, else do its `response_action`. Call it with the lock.

    Returns what is wrong with the answer, "" when it was followed.
    """
    if not answer.strip():
        platform.world.views.pop(view.id, None)
        return ""
    try:
        sent = json.loads(answer)
        action = sent.get("response_action") if isinstance(sent, dict) else None
        if action not in ACTIONS:
            raise Bad(f"the body {answer[:60]!r} is neither empty nor a response_action")
        if view.id not in platform.world.views:
            raise Bad("the view is closed already")
        ACTIONS[action](platform, view, sent)
    except ValueError:
        return f"the body {answer[:60]!r} is no JSON"
    except Bad as problem:
        return str(problem)
    except SlackError as problem:
        return f"{problem.code} {problem.extra or ''}".strip()
    return ""


def _errors(platform: Platform, view: View, sent: dict[str, Any]) -> None:
    errors = sent.get("errors")
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors:
        raise Bad("errors must be an object that is not empty")
    if unknown := sorted(set(errors) - inputs):
        raise Bad(f"errors names {', '.join(unknown)}: no input block of the view")
    if not all(isinstance(words, str) and words for words in errors.values()):
        raise Bad("every error must be a text")
    view.errors = errors


def _update(platform: Platform, view: View, sent: dict[str, Any]) -> None:
    world = platform.world
    content = views.checked(world, view.team_id, sent.get("view"), "modal", view.id)
    views.change(platform, view, content)


def _push(platform: Platform, view: View, sent: dict[str, Any]) -> None:
    if len(platform.world.modals_of(view.user)) >= views.MOST_STACKED:
        raise Bad("push_limit_reached")
    content = views.checked(platform.world, view.team_id, sent.get("view"), "modal")
    views.opened(platform, view.installation_id, view.team_id, view.user, content, below=view)


def _clear(platform: Platform, view: View, sent: dict[str, Any]) -> None:
    clear(platform.world, view.user)


def clear(world: World, user_id: str) -> None:
    for each in world.modals_of(user_id):
        del world.views[each.id]


ACTIONS: dict[str, Callable[[Platform, View, dict[str, Any]], None]] = {
    "errors": _errors,
    "update": _update,
    "push": _push,
    "clear": _clear,
}
