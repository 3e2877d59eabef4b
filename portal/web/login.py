"""How does a person come in and go out again? Sign-in, invitation, sign-out, and where to land."""

from flask import Blueprint, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired

from portal.domain.accounts import operations, queries, sign_ins
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission, Role
from portal.errors import Denied, Invalid
from portal.web.access import TOKEN, is_local, public, requires, viewer
from portal.web.render import form_errors, page

bp = Blueprint("login", __name__)

ALERTS = "/alerts"
HOMES = {Role.STAKEHOLDER: "/settings/connectors", Role.SUPPORT: "/support/workspaces"}


class LoginForm(FlaskForm):  # type: ignore[misc]
    email = StringField("E-mail address", [InputRequired("Please give your e-mail address.")])
    password = PasswordField("Password", [InputRequired("Please give your password.")])


class InvitationForm(FlaskForm):  # type: ignore[misc]
    password = PasswordField("Password", [InputRequired("Please choose a password.")])


@bp.get("/")
@requires(Permission.OWN_PROFILE)
def home() -> ResponseReturnValue:
    return redirect(_home_of(viewer()), 303)


@bp.get("/login")
@public
def show() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(_home_of(viewer()), 303)
    return page("login/show.html", form=LoginForm())


@bp.post("/login")
@public
def sign_in() -> ResponseReturnValue:
    form = LoginForm()
    if not form.validate_on_submit():
        return page("login/show.html", status=422, form=form)
    try:
        person, token = sign_ins.sign_in(form.email.data, form.password.data, **_browser())
    except Denied as problem:
        form.form_errors = [str(problem)]
        return page("login/show.html", status=422, form=form)
    _enter(person, token)
    wanted = request.args.get("next", "")
    return redirect(wanted if is_local(wanted) else _home_of(person), 303)


@bp.post("/logout")
@public
def sign_out() -> ResponseReturnValue:
    sign_ins.sign_out(session.get(TOKEN, ""))
    session.clear()
    return redirect(url_for("login.show"), 303)


@bp.get("/invitations/<token>")
@public
def invitation(token: str) -> ResponseReturnValue:
    return _invitation_page(token, InvitationForm())


@bp.post("/invitations/<token>")
@public
def accept(token: str) -> ResponseReturnValue:
    form = InvitationForm()
    if not form.validate_on_submit():
        return _invitation_page(token, form, status=422)
    try:
        person = operations.accept_invitation(token, password=form.password.data)
    except Invalid as problem:
        form_errors(form, problem)
        return _invitation_page(token, form, status=422)
    _enter(person, sign_ins.sign_in_invited(person, **_browser()))
    return redirect(_home_of(person), 303)


def _invitation_page(token: str, form: FlaskForm, status: int = 200) -> ResponseReturnValue:
    found = queries.invitation_by(token)
    answer = page("login/invitation.html", status=status, form=form, invitation=found)
    answer.headers["Referrer-Policy"] = "no-referrer"  # the address is the secret
    return answer


def _enter(person: User, token: str) -> None:
    session.clear()  # nothing that was there before signing in may count afterwards
    session[TOKEN] = token
    login_user(person)


def _browser() -> dict[str, str]:
    return {"address": request.remote_addr or "", "user_agent": request.user_agent.string}


def _home_of(person: User) -> str:
    return HOMES.get(person.role, ALERTS)
