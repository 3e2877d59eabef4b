"""How does a person manage channels, people and the app on the screen of the pretend Slack?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from . import admin, channels
from .here import here
from .lookups import Impossible
from .sight import Place, channels_seen, find, people_to_be
from .state import Channel, Person, World

bp = Blueprint("administration", __name__)

Answer = str | Response | tuple[str, int]


@dataclass(frozen=True)
class Form:
    """What one form of a page does: the operation, the fields it takes, and how success reads."""

    run: Callable[..., Any]
    fields: tuple[str, ...]
    done: str


CHANNEL_FORMS = {
    "rename": Form(channels.rename, ("name",), "The channel has its new name."),
    "invite": Form(channels.invite, ("user",), "They are in the channel now."),
    "remove": Form(channels.remove, ("user",), "They are no longer in the channel."),
    "archive": Form(channels.archive, (), "The channel is archived. The app had to leave it."),
    "unarchive": Form(channels.unarchive, (), "The channel is open again."),
    "convert_to_private": Form(channels.convert_to_private, (), "Only its members see it now."),
    "change_id": Form(channels.change_id, (), "The channel has another id."),
    "delete": Form(channels.delete, (), "The channel is gone."),
}
WORKSPACE_FORMS = {
    "rename_workspace": Form(admin.rename_workspace, ("name",), "The workspace has its new name."),
    "change_domain": Form(admin.change_domain, ("domain",), "The workspace has its new domain."),
    "add_person": Form(admin.add_person, ("real_name", "email"), "They have joined."),
    "take_scope": Form(admin.take_scope, ("scope",), "The app may not do that any more."),
    "revoke": Form(admin.revoke, (), "The app's token is revoked."),
    "uninstall": Form(admin.uninstall, (), "The app is uninstalled."),
}
PERSON_FORMS = {
    "rename_person": Form(admin.rename_person, ("real_name",), "They have their new name."),
    "change_email": Form(admin.change_email, ("email",), "They have their new e-mail address."),
    "deactivate": Form(admin.deactivate, (), "They are deactivated."),
    "reactivate": Form(admin.reactivate, (), "They are back."),
}
DONE = {
    **{name: form.done for name, form in (CHANNEL_FORMS | WORKSPACE_FORMS | PERSON_FORMS).items()},
    "create": "The channel is there.",
}


@bp.get("/w/<team_id>/<user_id>/<channel_id>/settings")
def channel(team_id: str, user_id: str, channel_id: str) -> str:
    return _channel_page(team_id, user_id, channel_id)


@bp.post("/w/<team_id>/<user_id>/<channel_id>/settings")
def change_channel(team_id: str, user_id: str, channel_id: str) -> Answer:
    """Do what one form of the page says. 422 with the reason where it makes no sense."""
    with here().reading() as world:
        _channel_at(world, team_id, user_id, channel_id)
    name = request.form.get("do", "")
    form = CHANNEL_FORMS.get(name) or abort(404, "There is no such form.")
    try:
        made = form.run(here(), channel_id, **_sent(form))
    except Impossible as problem:
        return _channel_page(team_id, user_id, channel_id, str(problem)), 422
    channel_id = made["id"] if made else channel_id
    with here().reading() as world:
        place = find(world, team_id, user_id)
        is_seen = world.channels.get(channel_id) in channels_seen(world, place)
    if not is_seen:
        return redirect(url_for("screen.home", team_id=team_id, user_id=user_id), 303)
    back = url_for(".channel", team_id=team_id, user_id=user_id, channel_id=channel_id, done=name)
    return redirect(back, 303)


@bp.get("/w/<team_id>/<user_id>/administration")
def workspace(team_id: str, user_id: str) -> str:
    return _workspace_page(team_id, user_id)


@bp.post("/w/<team_id>/<user_id>/administration")
def change_workspace(team_id: str, user_id: str) -> Answer:
    """Do what one form of the page says. Members may create channels, the rest is for admins."""
    with here().reading() as world:
        person = _no_guest(find(world, team_id, user_id)).person
        member = world.people.get(request.form.get("user", ""))
    name = request.form.get("do", "")
    if name != "create" and not person.is_admin:
        abort(403, f"{person.real_name} is no admin.")
    try:
        if name == "create":
            private = "private" in request.form
            made = channels.create(here(), team_id, request.form.get("name", ""), user_id, private)
            where = url_for(
                "screen.channel", team_id=team_id, user_id=user_id, channel_id=made["id"]
            )
            return redirect(where, 303)
        if form := WORKSPACE_FORMS.get(name):
            form.run(here(), team_id, **_sent(form))
        elif (form := PERSON_FORMS.get(name)) and member and member.team_id == team_id:
            form.run(here(), member.id, **_sent(form))
        else:
            abort(404, "There is no such form, or no such person.")
    except Impossible as problem:
        return _workspace_page(team_id, user_id, str(problem)), 422
    return _back_after(name, team_id, user_id, member)


def _back_after(name: str, team_id: str, user_id: str, member: Person | None) -> Response:
    """Back to the page; who has deactivated themselves is nobody there any more."""
    if member is not None and member.id == user_id and member.deleted:
        return redirect(url_for("screen.workspaces"), 303)
    return redirect(url_for(".workspace", team_id=team_id, user_id=user_id, done=name), 303)


def _sent(form: Form) -> dict[str, str]:
    return {field: request.form.get(field, "").strip() for field in form.fields}


def _no_guest(place: Place) -> Place:
    if place.person.is_guest:
        abort(403, f"{place.person.real_name} is a guest.")
    return place


def _channel_at(world: World, team_id: str, user_id: str, channel_id: str) -> tuple[Place, Channel]:
    place = _no_guest(find(world, team_id, user_id, channel_id))
    if place.channel is None or place.channel.is_im:
        abort(404, "Direct messages have no settings.")
    return place, place.channel


def _channel_page(team_id: str, user_id: str, channel_id: str, problem: str = "") -> str:
    with here().reading() as world:
        place, found = _channel_at(world, team_id, user_id, channel_id)
        own = world.installation_for(team_id)
        app = world.people[own.bot_user_id] if own else None
        members = [world.people[each] for each in found.members if each in world.people]
        candidates = [app] if app else []
        candidates += people_to_be(world, team_id)
        return render_template(
            "channel_settings.html",
            place=place,
            channel=found,
            members=members,
            others=[each for each in candidates if each not in members],
            app=app,
            **_told(problem),
        )


def _workspace_page(team_id: str, user_id: str, problem: str = "") -> str:
    with here().reading() as world:
        place = _no_guest(find(world, team_id, user_id))
        people = [p for p in world.people.values() if p.team_id == team_id and not p.is_bot]
        return render_template(
            "administration.html",
            place=place,
            people=sorted(people, key=lambda each: (each.deleted, each.real_name)),
            installation=world.installation_for(team_id),
            app_name=here().manifest.name,
            **_told(problem),
        )


def _told(problem: str) -> dict[str, Any]:
    """What the last form led to; a refused one keeps what was typed."""
    typed = request.form if problem else MultiDict[str, str]()
    return {"problem": problem, "done": DONE.get(request.args.get("done", "")), "typed": typed}
