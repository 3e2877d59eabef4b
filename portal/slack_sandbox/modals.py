"""What does a person do in a modal or on the Home tab: fill in, act, submit, close?"""

import json
from typing import Any

from . import answers, element_state, interactions, views
from .element_state import State
from .journal import Delivery
from .payloads import TROUBLE, TROUBLE_CONNECTING, NotThere, common, deliver, response_url
from .platform import Platform
from .state import World
from .surfaces import View

Values = dict[tuple[str, str], list[str]]  # (block_id, action_id): what was typed or chosen


class Unfinished(NotThere):
    """Slack itself does not submit: a field is empty or wrong. `errors` is by block_id."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{where}: {words}" for where, words in errors.items()))
        self.errors = errors


def open_view(world: World, user_id: str, view_id: str) -> View:
    """A modal or Home tab of this person. Raises NotThere once it is closed."""
    view = world.views.get(view_id)
    if view is None or view.user != user_id:
        raise NotThere("This window is closed already.")
    return view


def fill(platform: Platform, user_id: str, view_id: str, values: Values) -> None:
    """Type and choose without sending anything. Raises NotThere for an option there is not."""
    with platform.changing() as world:
        _fill(world, open_view(world, user_id, view_id), values)


def _fill(world: World, view: View, values: Values) -> None:
    person = world.people[view.user]
    for block, element in views.elements_of(view):
        block_id, action_id = block["block_id"], element["action_id"]
        if (block_id, action_id) in values and element_state.has_state(element):
            offered = world.suggested.get(f"{view.user}/{view.id}/{block_id}/{action_id}", {})
            given = values[block_id, action_id]
            view.values[block_id][action_id] = element_state.read(element, given, person, offered)


def act(
    platform: Platform,
    user_id: str,
    view_id: str,
    block_id: str,
    action_id: str,
    values: list[str],
) -> Delivery:
    """Press a button in a view, or set an element that tells the app at once."""
    with platform.changing() as world:
        view = open_view(world, user_id, view_id)
        block, element = _element(view, block_id, action_id)
        _fill(world, view, {(block_id, action_id): values})
        payload = _payload(platform, world, view, "block_actions")
        payload["container"] = {"type": "view", "view_id": view.id}
        state = views.state_of(view, block_id, action_id)
        payload["actions"] = [interactions.action(platform, block, element, state, tuple(values))]
    delivery = deliver(platform, payload)
    with platform.changing():
        view.trouble = TROUBLE.get(delivery.verdict, "")
    return delivery


def _element(view: View, block_id: str, action_id: str) -> views.Element:
    for block, element in views.elements_of(view):
        if (block["block_id"], element["action_id"]) == (block_id, action_id):
            return block, element
    raise NotThere(f"The view has no element {block_id}/{action_id}.")


def submit(platform: Platform, user_id: str, view_id: str) -> Delivery:
    """Submit what was filled in, and do what the app answers. What was typed stays on trouble.

    Raises Unfinished where Slack would not send it.
    """
    with platform.changing() as world:
        view = open_view(world, user_id, view_id)
        if view.content.get("submit_disabled"):
            raise NotThere("This window cannot be submitted now.")
        view.errors, view.trouble = _unfinished(view), ""
        if view.errors:
            raise Unfinished(view.errors)
        payload = _payload(platform, world, view, "view_submission")
        payload["response_urls"] = _response_urls(platform, world, view)
    delivery = deliver(platform, payload)
    with platform.changing() as world:
        if delivery.verdict != "ok":
            view.trouble = TROUBLE_CONNECTING
        elif problem := answers.follow(platform, view, delivery.answer):
            view.trouble, delivery.verdict = TROUBLE_CONNECTING, "bad_answer"
            platform.violation("bad_view_answer", problem, "view_submission")
    return delivery


def close(
    platform: Platform, user_id: str, view_id: str, whole_stack: bool = False
) -> list[Delivery]:
    """Cancel one modal, or all of them; the app hears of those that have notify_on_close."""
    with platform.changing() as world:
        view = open_view(world, user_id, view_id)
        is_cleared = whole_stack or bool(view.content.get("clear_on_close"))
        closed = world.modals_of(user_id) if is_cleared else [view]
        payloads = []
        for each in reversed(closed):
            if each.content.get("notify_on_close"):
                payload = _payload(platform, world, each, "view_closed", with_trigger=False)
                payloads.append(payload | {"is_cleared": is_cleared, "response_urls": []})
            del world.views[each.id]
    return [deliver(platform, each) for each in payloads]


def _payload(
    platform: Platform, world: World, view: View, kind: str, with_trigger: bool = True
) -> dict[str, Any]:
    own, person = world.installations[view.installation_id], world.people[view.user]
    told = common(platform, world, own, person, view.team_id, view.id if view.is_modal else "")
    if not with_trigger:
        del told["trigger_id"]
    shown = json.loads(json.dumps(views.shape(platform, world, view)))  # as it is now
    return {"type": kind, **told, "view": shown}


def _response_urls(platform: Platform, world: World, view: View) -> list[dict[str, Any]]:
    """One per conversation select that asks for it (`response_url_enabled`)."""
    own, made = world.installations[view.installation_id], []
    for block, element in views.elements_of(view):
        state = views.state_of(view, block["block_id"], element["action_id"])
        chosen = element_state.value_of(state) if state else None
        if element.get("response_url_enabled") and chosen in world.channels:
            channel = world.channels[chosen]
            url = response_url(platform, world, own, view.user, channel, kind="actions")
            place = {"block_id": block["block_id"], "action_id": element["action_id"]}
            made.append({**place, "channel_id": chosen, "response_url": url})
    return made


def _unfinished(view: View) -> dict[str, str]:
    """What Slack's own client says before it sends anything, by block_id."""
    errors = {}
    for block, element in views.elements_of(view):
        state = views.state_of(view, block["block_id"], element["action_id"])
        if block["type"] == "input" and state is not None:
            words = _problem(element, state, bool(block.get("optional")))
            if words:
                errors[block["block_id"]] = words
    return errors


def _problem(element: dict[str, Any], state: State, is_optional: bool) -> str:
    value = element_state.value_of(state)
    if not value:
        return "" if is_optional else "Please complete this required field."
    if not isinstance(value, str):
        return ""
    if len(value) < element.get("min_length", 0):
        return f"Must be at least {element['min_length']} characters long."
    if len(value) > element.get("max_length", 3_000):
        return f"Must be at most {element.get('max_length', 3_000)} characters long."
    checks = {"email_text_input": _is_email, "url_text_input": _is_url, "number_input": _is_number}
    check = checks.get(element["type"])
    return "" if check is None or check(value) else "This value has the wrong form."


def _is_email(value: str) -> bool:
    return "@" in value.strip("@") and " " not in value


def _is_url(value: str) -> bool:
    return value.startswith(("http://", "https://")) and " " not in value


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
