"""What does a person see in the pretend Slack? Workspaces, channels, messages, buttons."""

from collections.abc import Callable

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import Forbidden, NotFound
from werkzeug.wrappers import Response as AnyResponse

from . import administration, developer, filters, interactions
from .here import here
from .payloads import NotThere
from .render import Names
from .sight import Place, channels_seen, find, people_to_be, threads
from .state import Message, Person, World

bp = Blueprint("screen", __name__)
bp.register_blueprint(developer.bp)
bp.register_blueprint(administration.bp)

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@bp.record_once
def _filters(setup: BlueprintSetupState) -> None:
    filters.init_app(setup.app)


@bp.after_request
def _headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-cache")
    return response


@bp.errorhandler(403)
def _not_allowed(problem: Forbidden) -> tuple[str, int]:
    words = problem.description
    return render_template("stopped.html", title="This is not for everybody", words=words), 403


@bp.errorhandler(404)
def _nothing(problem: NotFound) -> tuple[str, int]:
    words = problem.description
    return render_template("stopped.html", title="There is nothing here", words=words), 404


@bp.errorhandler(NotThere)
def _not_there(problem: NotThere) -> Response:
    """Nothing was delivered; a live page shows only the words."""
    if request.headers.get("X-Live"):
        return Response(str(problem), 409, mimetype="text/plain")
    title = "Nothing was delivered"
    return Response(render_template("stopped.html", title=title, words=str(problem)), 409)


@bp.get("/")
def workspaces() -> str:
    platform = here()
    with platform.reading() as world:
        shown = [
            (workspace, people_to_be(world, workspace.id), _app(world, workspace.id))
            for workspace in world.workspaces.values()
        ]
        return render_template("workspaces.html", workspaces=shown)


@bp.get("/w/<team_id>/<user_id>")
def home(team_id: str, user_id: str) -> AnyResponse | str:
    """Open the channel a person most likely wants: the first one they are in."""
    with here().reading() as world:
        place = find(world, team_id, user_id)
        seen = channels_seen(world, place)
        mine = [each for each in seen if user_id in each.members and not each.is_archived]
        preferred = sorted(mine, key=lambda each: (each.is_general, each.is_im))
        if not preferred:
            return _draw("channel.html", world, place)
    return redirect(
        url_for(".channel", team_id=team_id, user_id=user_id, channel_id=preferred[0].id)
    )


@bp.get("/w/<team_id>/<user_id>/<channel_id>")
def channel(team_id: str, user_id: str, channel_id: str) -> str:
    """The whole page. Ephemerals that were seen before are gone, as after a reload in Slack."""
    with here().changing() as world:
        place = find(world, team_id, user_id, channel_id)
        for message in world.messages_in(channel_id):
            if message.ephemeral_for == user_id and message.was_seen:
                message.is_dismissed = True
        return _draw("channel.html", world, place)


@bp.get("/w/<team_id>/<user_id>/live")
@bp.get("/w/<team_id>/<user_id>/<channel_id>/live")
def live(team_id: str, user_id: str, channel_id: str = "") -> Response:
    """The parts of the page that change; 304 while they have not."""
    with here().reading() as world:
        drawn = _draw("_live.html", world, find(world, team_id, user_id, channel_id))
    response = make_response(drawn)
    response.add_etag()
    response.make_conditional(request)
    return response


@bp.post("/w/<team_id>/<user_id>/<channel_id>/click")
def click(team_id: str, user_id: str, channel_id: str) -> AnyResponse:
    """Deliver the click to the app, and wait for its answer as long as Slack waits."""
    ts, block_id, action_id = (request.form.get(key, "") for key in ("ts", "block_id", "action_id"))
    with here().reading() as world:
        place = find(world, team_id, user_id, channel_id)
    option = request.form.get("option", "")
    interactions.click(here(), team_id, user_id, channel_id, ts, block_id, action_id, option)
    if request.headers.get("X-Live"):
        return Response(status=204)
    return redirect(f"{address(place)}#m-{ts}", 303)


def address(place: Place) -> str:
    if place.channel is None:
        return url_for(".home", team_id=place.workspace.id, user_id=place.person.id)
    return url_for(
        ".channel",
        team_id=place.workspace.id,
        user_id=place.person.id,
        channel_id=place.channel.id,
    )


def _app(world: World, team_id: str) -> Person | None:
    installation = world.installation_for(team_id)
    return world.people.get(installation.bot_user_id) if installation else None


def _draw(template: str, world: World, place: Place) -> str:
    app, shown = _app(world, place.workspace.id), threads(world, place)
    for message, replies in shown:
        for each in (message, *replies):
            each.was_seen = each.was_seen or bool(each.ephemeral_for)
    return render_template(
        template,
        place=place,
        channels=channels_seen(world, place),
        threads=shown,
        people=world.people,
        names=_names(world, place.person),
        app_name=here().manifest.name,
        app_is_member=bool(app and place.channel and app.id in place.channel.members),
        failures=_failures_for(place.person),
        live_url=f"{address(place)}/live",
        click_url=f"{address(place)}/click",
    )


def _names(world: World, person: Person) -> Names:
    return Names(
        people={each.id: each.real_name for each in world.people.values()},
        channels={each.id: each.name for each in world.channels.values() if not each.is_private},
        zone=person.tz,
    )


def _failures_for(person: Person) -> Callable[[Message], list[str]]:
    def failures(message: Message) -> list[str]:
        """What Slack says to this person about their clicks that the app did not take."""
        return sorted(
            {
                words
                for where, words in message.failures.items()
                if where.startswith(f"{person.id}/")
            }
        )

    return failures
