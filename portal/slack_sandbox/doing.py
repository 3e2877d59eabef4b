"""What does a person do on the screen: press, choose, write, use commands, shortcuts and modals?"""

from collections.abc import Callable

from flask import Blueprint, Response, jsonify, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from . import (
    channels,
    commands,
    interactions,
    inviting,
    modals,
    posting,
    shortcuts,
    suggestions,
    views,
)
from .here import here
from .journal import Delivery
from .pages import address, draw
from .payloads import TROUBLE_CONNECTING, NotThere
from .sight import find

bp = Blueprint("doing", __name__, url_prefix="/w/<team_id>/<user_id>")


@bp.post("/<channel_id>/click")
def click(team_id: str, user_id: str, channel_id: str) -> AnyResponse:
    """Deliver the click to the app, and wait for its answer as long as Slack waits."""
    ts, block_id, action_id = (request.form.get(key, "") for key in ("ts", "block_id", "action_id"))
    with here().reading() as world:
        place = find(world, team_id, user_id, channel_id)
    values = request.form.getlist("option")
    run = interactions.keep if "quiet" in request.form else interactions.click
    run(here(), team_id, user_id, channel_id, ts, block_id, action_id, *values)
    return _done(f"{address(place)}#m-{ts}")


@bp.post("/<channel_id>/say")
def say(team_id: str, user_id: str, channel_id: str) -> AnyResponse | tuple[str, int]:
    """Post what was typed, or run it as a command. What Slack refuses stays in the composer."""
    form, platform = request.form, here()
    text, thread_ts = form.get("text", "").replace("\r\n", "\n"), form.get("thread_ts", "")
    with platform.reading() as world:
        place = find(world, team_id, user_id, channel_id)
    try:
        if text.startswith("/"):
            command, _, rest = text.partition(" ")
            if command == inviting.COMMAND:
                inviting.run(platform, team_id, user_id, channel_id, rest)
            else:
                where = (team_id, user_id, channel_id, command.strip(), rest.strip(), thread_ts)
                commands.run(platform, *where)
        else:
            broadcast = "broadcast" in form
            posting.say(platform, team_id, user_id, channel_id, text, thread_ts, broadcast)
    except NotThere as problem:
        if _is_live():
            raise
        with platform.reading() as world:
            again = {"typed": text, "problem": str(problem), "thread_ts": thread_ts}
            return draw("channel.html", world, place, **again), 409
    return _done(address(place))


@bp.post("/<channel_id>/join")
def join(team_id: str, user_id: str, channel_id: str) -> AnyResponse:
    with here().reading() as world:
        place = find(world, team_id, user_id, channel_id)
    channels.invite(here(), channel_id, user_id)
    return _done(address(place))


@bp.post("/<channel_id>/message_shortcut")
def message_shortcut(team_id: str, user_id: str, channel_id: str) -> AnyResponse:
    ts, callback_id = request.form.get("ts", ""), request.form.get("callback_id", "")
    with here().reading() as world:
        place = find(world, team_id, user_id, channel_id)
    told = shortcuts.run_on_message(here(), team_id, user_id, channel_id, ts, callback_id)
    _check(told)
    return _done(f"{address(place)}#m-{ts}")


@bp.post("/shortcut")
def shortcut(team_id: str, user_id: str) -> AnyResponse:
    with here().reading() as world:
        find(world, team_id, user_id)
    _check(shortcuts.run(here(), team_id, user_id, request.form.get("callback_id", "")))
    return _done(_back(team_id, user_id))


@bp.post("/suggest")
def suggest(team_id: str, user_id: str) -> Response:
    """The options for what was typed into an external select, as JSON."""
    form = request.form
    with here().reading() as world:
        find(world, team_id, user_id)
    keys = ("block_id", "action_id", "channel_id", "ts", "view_id")
    place = suggestions.Place(team_id, user_id, *(form.get(key, "") for key in keys))
    found = suggestions.ask(here(), place, form.get("typed", ""))
    groups = {o["value"]: g["label"]["text"] for g in found.groups for o in g["options"]}
    options = [
        {
            "value": each["value"],
            "text": each["text"]["text"],
            "description": (each.get("description") or {}).get("text", ""),
            "group": groups.get(each["value"], ""),
        }
        for each in found.options
    ]
    trouble = "The app's options could not be loaded." if found.trouble else ""
    return jsonify({"options": options, "trouble": trouble, "asked": found.delivery is not None})


@bp.post("/views/<view_id>/<any(act, fill, submit, close):step>")
def view(team_id: str, user_id: str, view_id: str, step: str) -> AnyResponse:
    """Act in a modal or the Home, or submit or close the modal. All that is typed comes along."""
    platform = here()
    with platform.reading() as world:
        find(world, team_id, user_id)
    if step != "close":
        modals.fill(platform, user_id, view_id, _typed(user_id, view_id))
    if step in STEPS:
        STEPS[step](user_id, view_id)
    return _done(_back(team_id, user_id))


def _typed(user_id: str, view_id: str) -> modals.Values:
    """What the form says of each element; one that is drawn but not sent was emptied."""
    with here().reading() as world:
        shown = list(views.elements_of(modals.open_view(world, user_id, view_id)))
    places = [(block["block_id"], element["action_id"]) for block, element in shown]
    return {
        place: request.form.getlist("|".join(place))
        for place in places
        if f"has:{'|'.join(place)}" in request.form
    }


def _act(user_id: str, view_id: str) -> None:
    acted = request.form.get("act", "")
    platform = here()
    with platform.reading() as world:
        shown = list(views.elements_of(modals.open_view(world, user_id, view_id)))
    for block, element in shown:
        place = (block["block_id"], element["action_id"])
        if "|".join(place) == acted:
            values = request.form.getlist(acted)
            modals.act(platform, user_id, view_id, *place, values)
            return
    raise NotThere("This is not there any more.")


def _submit(user_id: str, view_id: str) -> None:
    try:
        modals.submit(here(), user_id, view_id)
    except modals.Unfinished:
        return  # said at the fields


def _close(user_id: str, view_id: str) -> None:
    modals.close(here(), user_id, view_id, "whole" in request.form)


# filling in is all of the step that is not here
STEPS: dict[str, Callable[[str, str], None]] = {
    "act": _act,
    "submit": _submit,
    "close": _close,
}


def _check(delivery: Delivery) -> None:
    if delivery.verdict != "ok":
        raise NotThere(TROUBLE_CONNECTING)


def _is_live() -> bool:
    return "X-Live" in request.headers


def _done(back: str) -> AnyResponse:
    return Response(status=204) if _is_live() else redirect(back, 303)


def _back(team_id: str, user_id: str) -> str:
    """The page that the form was on: a channel, else the Home."""
    at = request.form.get("at", "")
    with here().reading() as world:
        if at in world.channels:
            return address(find(world, team_id, user_id, at))
    return url_for("screen.app_home", team_id=team_id, user_id=user_id)
