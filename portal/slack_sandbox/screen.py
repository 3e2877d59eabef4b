"""What does a person see in the pretend Slack? Workspaces, channels, messages, buttons."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import Forbidden, NotFound
from werkzeug.wrappers import Response as AnyResponse

from . import administration, developer, doing, filters, homes
from .here import here
from .pages import app_of, direct_messages_of, draw
from .payloads import NotThere
from .sight import channels_seen, find, people_to_be

bp = Blueprint("screen", __name__)
bp.register_blueprint(developer.bp)
bp.register_blueprint(administration.bp)
bp.register_blueprint(doing.bp)

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
            (workspace, people_to_be(world, workspace.id), app_of(world, workspace.id))
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
            return draw("channel.html", world, place)
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
        return draw("channel.html", world, place, thread_ts=request.args.get("reply", ""))


@bp.get("/w/<team_id>/<user_id>/app")
def app_home(team_id: str, user_id: str) -> str:
    """The app's Home tab; opening it tells the app, which publishes what is to be seen."""
    with here().reading() as world:
        place = find(world, team_id, user_id)
        if app_of(world, team_id) is not None:
            homes.open_home(here(), team_id, user_id)
        return draw("home.html", world, place, is_home=True)


@bp.get("/w/<team_id>/<user_id>/app/live")
def app_home_live(team_id: str, user_id: str) -> Response:
    with here().reading() as world:
        return _unless_known(draw("_live.html", world, find(world, team_id, user_id), is_home=True))


@bp.get("/w/<team_id>/<user_id>/app/messages")
def app_messages(team_id: str, user_id: str) -> AnyResponse:
    """The direct messages with the app, opened now if need be."""
    homes.open_home(here(), team_id, user_id, "messages")
    with here().reading() as world:
        channel_id = direct_messages_of(world, find(world, team_id, user_id))
    return redirect(url_for(".channel", team_id=team_id, user_id=user_id, channel_id=channel_id))


@bp.get("/w/<team_id>/<user_id>/live")
@bp.get("/w/<team_id>/<user_id>/<channel_id>/live")
def live(team_id: str, user_id: str, channel_id: str = "") -> Response:
    """The parts of the page that change; 304 while they have not."""
    with here().reading() as world:
        return _unless_known(draw("_live.html", world, find(world, team_id, user_id, channel_id)))


def _unless_known(drawn: str) -> Response:
    response = make_response(drawn)
    response.add_etag()
    response.make_conditional(request)
    return response
