"""How does the app open and change modals and Home tabs? views.open, push, update, publish."""

from typing import Any

from .. import views
from ..surfaces import Trigger, View
from .call import Call, SlackError


def open_(call: Call) -> dict[str, Any]:
    """Show a modal to whoever the trigger came from; it replaces what they had open."""
    trigger = _trigger(call)
    content = views.checked(call.world, trigger.team_id, _sent(call), "modal")
    for stale in call.world.modals_of(trigger.user):
        del call.world.views[stale.id]
    return _shown(call, _put(call, trigger, content, None))


def push(call: Call) -> dict[str, Any]:
    """Show a modal on top of the one that the trigger came from; three at most."""
    trigger = _trigger(call)
    content = views.checked(call.world, trigger.team_id, _sent(call), "modal")
    stack = call.world.modals_of(trigger.user)
    if trigger.view_id not in [each.id for each in stack]:
        raise SlackError("not_found")
    if len(stack) >= views.MOST_STACKED:
        raise SlackError("push_limit_reached")
    return _shown(call, _put(call, trigger, content, stack[-1]))


def update(call: Call) -> dict[str, Any]:
    """Change an open view, named by view_id or external_id; with a hash only if it is current."""
    view = _named(call)
    _check_hash(call, view)
    kind = "modal" if view.is_modal else "home"
    content = views.checked(call.world, view.team_id, _sent(call), kind, view.id)
    views.change(call.platform, view, content)
    return _shown(call, view)


def publish(call: Call) -> dict[str, Any]:
    """Show the Home tab to one person."""
    person = call.person(call.text("user_id"))
    if not call.platform.manifest.home_tab_enabled:
        raise SlackError("not_enabled")
    view = call.world.home_of(person.id)
    if view is not None:
        _check_hash(call, view)
    own_id = view.id if view else ""
    content = views.checked(call.world, call.workspace.id, _sent(call), "home", own_id)
    if view is None:
        team_id, own = call.workspace.id, call.installation.id
        return _shown(call, views.opened(call.platform, own, team_id, person.id, content))
    views.change(call.platform, view, content)
    return _shown(call, view)


def _sent(call: Call) -> Any:
    return call.nested("view", "invalid_arguments", dict)


def _trigger(call: Call) -> Trigger:
    """The trigger, if it still opens something. Slack docs: views.open, errors."""
    trigger = call.world.triggers.get(call.text("trigger_id"))
    if trigger is None or trigger.installation_id != call.installation.id:
        raise SlackError("invalid_trigger_id")
    if trigger.is_used:
        raise SlackError("exchanged_trigger_id")
    if call.platform.clock.now() >= trigger.expires_at:
        raise SlackError("expired_trigger_id")
    return trigger


def _put(call: Call, trigger: Trigger, content: dict[str, Any], below: View | None) -> View:
    trigger.is_used = True
    return views.opened(
        call.platform, trigger.installation_id, trigger.team_id, trigger.user, content, below
    )


def _named(call: Call) -> View:
    if not call.has("view_id") and not call.has("external_id"):
        raise SlackError("invalid_arguments")
    for view in call.world.views.values():
        is_named = view.id == call.text("view_id") or (
            call.text("external_id")
            and view.content.get("external_id") == call.text("external_id")
            and view.team_id == call.workspace.id
        )
        if is_named and view.installation_id == call.installation.id:
            return view
    raise SlackError("not_found")


def _check_hash(call: Call, view: View) -> None:
    if call.text("hash") and call.text("hash") != view.hash:
        raise SlackError("hash_conflict")


def _shown(call: Call, view: View) -> dict[str, Any]:
    return {"view": views.shape(call.platform, call.world, view)}
