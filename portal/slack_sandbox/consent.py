"""How does a person allow the app into a workspace, or refuse it?"""

from urllib.parse import urlsplit

from flask import Blueprint, Response, g, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from . import oauth
from .here import here
from .screen import POLICY
from .sight import people_to_be
from .state import Person, Workspace, World

bp = Blueprint("consent", __name__)

Choices = list[tuple[Workspace, list[Person]]]


@bp.after_request
def _headers(response: Response) -> Response:
    """The form's answer leads to the app, so the policy allows its address, once it is checked."""
    back = urlsplit(g.get("redirect_uri", ""))
    allowed = (
        f"form-action 'self' {back.scheme}://{back.netloc}" if back.netloc else "form-action 'self'"
    )
    policy = POLICY.replace("form-action 'self'", allowed)
    response.headers["Content-Security-Policy"] = policy
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.errorhandler(oauth.Refused)
def _refused(problem: oauth.Refused) -> tuple[str, int]:
    """Slack shows these errors itself and never calls back."""
    words = "The address that led here is wrong, so nothing was sent to the app."
    title = "This app cannot be installed"
    return render_template("stopped.html", title=title, words=words, code=problem.code), 400


@bp.get("/oauth/v2/authorize")
def ask() -> str:
    question = oauth.check(here(), request.args)
    g.redirect_uri = question.redirect_uri
    return _page(question)


@bp.post("/oauth/v2/authorize")
def decide() -> AnyResponse | tuple[str, int] | str:
    question = oauth.check(here(), request.args)
    g.redirect_uri = question.redirect_uri
    if request.form.get("decision") != "allow":
        return redirect(oauth.deny(here(), question), 302)
    team_id, user_id = request.form.get("team", ""), request.form.get("user", "")
    whole = "whole_organization" in request.form
    with here().reading() as world:
        workspace, person = world.workspaces.get(team_id), world.people.get(user_id)
    if workspace is None or person is None or person.team_id != team_id:
        return _page(question, "This person is not in that workspace. Choose one who is."), 422
    if whole and not workspace.enterprise_id:
        return _page(question, f"{workspace.name} belongs to no organization."), 422
    scopes = [
        *question.required,
        *(s for s in request.form.getlist("optional") if s in question.optional),
    ]
    back = oauth.grant(here(), question, team_id, user_id, scopes, whole)
    if back is None:
        words = f"An admin of {workspace.name} has to approve the app. You will hear from them."
        return render_template("stopped.html", title="Request sent", words=words)
    return redirect(back, 302)


def _page(question: oauth.Question, problem: str = "") -> str:
    platform, form = here(), request.form
    with platform.reading() as world:
        choices = _choices(world, question.team)
        return render_template(
            "consent.html",
            app=platform.manifest,
            problem=problem,
            choices=choices,
            team_id=form.get("team") or choices[0][0].id,
            user_id=form.get("user") or choices[0][1][0].id,
            required=question.required,
            optional=question.optional,
            ticked=form.getlist("optional") if form else question.optional,
            installed_in=[w.name for w, _ in choices if world.installation_for(w.id)],
            organizations=sorted({w.enterprise_name for w, _ in choices if w.enterprise_id}),
        )


def _choices(world: World, team_id: str) -> Choices:
    """The workspaces with their people; the one that the address names comes first."""
    workspaces = sorted(world.workspaces.values(), key=lambda each: each.id != team_id)
    return [(each, people) for each in workspaces if (people := people_to_be(world, each.id))]
