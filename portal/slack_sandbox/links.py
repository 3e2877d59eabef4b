"""Where do permalinks and links into the app lead? To the screen of a person who may see them."""

from flask import Blueprint, abort, redirect, request
from werkzeug.wrappers import Response

from .here import here
from .platform import Platform
from .state import Channel, Message, Person, World

bp = Blueprint("links", __name__)


def permalink(platform: Platform, message: Message) -> str:
    """The address of a message, as `chat.getPermalink` gives it."""
    thread = f"&thread_ts={message.thread_ts}&cid={message.channel}" if message.is_reply else ""
    number = message.ts.replace(".", "")
    return f"{platform.url}/archives/{message.channel}/p{number}?team={message.team_id}{thread}"


@bp.get("/archives/<channel_id>")
@bp.get("/archives/<channel_id>/p<int:number>")
@bp.get("/w/<team_id>/archives/<channel_id>/p<int:number>")
def archives(channel_id: str, number: int = 0, team_id: str = "") -> Response:
    """Also below the workspace's own address, where apps look for it as at Slack."""
    ts = f"{number // 1_000_000}.{number % 1_000_000:06}"
    return _show(channel_id, team_id or request.args.get("team", ""), f"#m-{ts}" if number else "")


@bp.get("/app_redirect")
def app_redirect() -> Response:
    return _show(request.args.get("channel", ""), request.args.get("team", ""), "")


@bp.get("/w/<team_id>/")
def workspace(team_id: str) -> Response:
    with here().reading() as world:
        person = _reader(world, team_id, None)
    return redirect(f"/w/{team_id}/{person.id}")


def _show(channel_id: str, team_id: str, fragment: str) -> Response:
    with here().reading() as world:
        channel = world.channels.get(channel_id)
        if channel is None:
            abort(404, "This sandbox has no such channel.")
        team_id = team_id or channel.team_id
        person = _reader(world, team_id, channel)
    return redirect(f"/w/{team_id}/{person.id}/{channel_id}{fragment}")


def _reader(world: World, team_id: str, channel: Channel | None) -> Person:
    """Somebody who sees the channel, an admin first: links do not say who follows them."""
    people = [p for p in world.people.values() if p.team_id == team_id and not p.is_bot]
    active = [p for p in people if not p.deleted and (channel is None or p.id in channel.members)]
    if not active:
        abort(404, "Nobody of this workspace sees that.")
    return next((person for person in active if person.is_admin), active[0])
