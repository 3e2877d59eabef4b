"""Who belongs to the account? Admins invite, give roles, deactivate."""

from flask import Blueprint, current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import SelectChoice, SelectField, StringField
from wtforms.validators import InputRequired

from portal.domain.accounts import operations, queries
from portal.domain.accounts.models import User
from portal.domain.accounts.operations import GIVEN_BY_ADMINS
from portal.domain.accounts.permissions import Permission, Role
from portal.errors import Conflict, Invalid
from portal.slack import installations, mapping, unlinked
from portal.web import reachability, slack_users
from portal.web.access import requires, viewer
from portal.web.paging import part
from portal.web.render import form_errors, page

bp = Blueprint("users", __name__, url_prefix="/settings/users")

ROLE_HELP = {
    Role.STAKEHOLDER: "sees whether Slack is connected",
    Role.RESPONDER: "answers alerts",
    Role.USER: "answers alerts, sets up sources and actions",
    Role.ADMIN: "also links Slack and manages people",
}
BY_NAME = {role.value: role for role in GIVEN_BY_ADMINS}
ROLES = [
    SelectChoice(role.value, f"{role.value.capitalize()}: {ROLE_HELP[role]}")
    for role in GIVEN_BY_ADMINS
]


class InviteForm(FlaskForm):  # type: ignore[misc]
    name = StringField("Name", [InputRequired("Please give their name.")])
    email = StringField("E-mail address", [InputRequired("Please give their e-mail address.")])
    role = SelectField("Role", choices=ROLES, default=Role.RESPONDER.value)


@bp.get("")
@requires(Permission.MANAGE_USERS)
def index() -> ResponseReturnValue:
    return _page(InviteForm())


@bp.post("")
@requires(Permission.MANAGE_USERS)
def invite() -> ResponseReturnValue:
    form = InviteForm()
    if not form.validate_on_submit():
        return _page(form, status=422)
    try:
        person, token = operations.invite(
            by=viewer(), email=form.email.data, name=form.name.data, role=Role(form.role.data)
        )
    except (Invalid, Conflict) as problem:
        taken = problem if isinstance(problem, Invalid) else Invalid(str(problem), field="email")
        form_errors(form, taken)
        return _page(form, status=422)
    return _show_link(person, token)


@bp.post("/<int:user_id>/invitation")
@requires(Permission.MANAGE_USERS)
def invite_again(user_id: int) -> ResponseReturnValue:
    return _show_link(*operations.invite_again(user_id, by=viewer()))


@bp.post("/<int:user_id>/sign-in-link")
@requires(Permission.MANAGE_USERS)
def make_sign_in_link(user_id: int) -> ResponseReturnValue:
    return _show_link(*operations.make_sign_in_link(user_id, by=viewer()))


@bp.post("/<int:user_id>/role")
@requires(Permission.MANAGE_USERS)
def change_role(user_id: int) -> ResponseReturnValue:
    wanted = BY_NAME.get(request.form.get("role", ""))
    if wanted is None:
        raise Invalid("Please choose one of the roles in the list.", field="role")
    person = operations.change_role(user_id, wanted, by=viewer())
    return _done(f"{person.name} is now {person.role.value}.")


@bp.post("/<int:user_id>/deactivate")
@requires(Permission.MANAGE_USERS)
def deactivate(user_id: int) -> ResponseReturnValue:
    person = operations.deactivate(user_id, by=viewer())
    return _done(f"{person.name} is deactivated and signed out everywhere.")


@bp.post("/<int:user_id>/reactivate")
@requires(Permission.MANAGE_USERS)
def reactivate(user_id: int) -> ResponseReturnValue:
    person = operations.reactivate(user_id, by=viewer())
    return _done(f"{person.name} is active again.")


@bp.post("/slack")
@requires(Permission.MANAGE_USERS)
def look_in_slack() -> ResponseReturnValue:
    mapping.look_again(by=viewer())
    return _done("Slack is asked about everybody who is not connected. It takes a moment.")


def _show_link(person: User, token: str) -> ResponseReturnValue:
    """Answer with the link itself: it is shown once, so no redirect and nothing in the session."""
    link = current_app.config["PUBLIC_URL"] + url_for("login.invitation", token=token)
    answer = page("settings/users/invited.html", person=person, link=link)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _done(message: str) -> ResponseReturnValue:
    flash(message)
    return redirect(url_for("users.index"), 303)


def _page(form: InviteForm, status: int = 200) -> ResponseReturnValue:
    people = queries.people_of(viewer())
    return page(
        "settings/users/index.html",
        status=status,
        form=form,
        people=people,
        part=part(people),
        reach=reachability.of_account(viewer(), people),
        in_slack=slack_users.of_account(viewer()),
        not_yet=unlinked.NOT_YET,
        is_linked=installations.of_account(viewer().account_id) is not None,
        is_asked=lambda person: person.can(Permission.RESPOND_TO_ALERTS),
        roles=GIVEN_BY_ADMINS,
        may_change=lambda person: queries.may_change_role_of(viewer(), person),
    )
