"""What does a person see of themselves, and where are they signed in?"""

from zoneinfo import available_timezones

from flask import Blueprint, flash, redirect, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import PasswordField, SelectField, StringField
from wtforms.validators import InputRequired

from portal.domain.accounts import operations, queries, sign_ins
from portal.domain.accounts.permissions import Permission
from portal.errors import Invalid
from portal.slack import mapping
from portal.web import reachability, slack_users
from portal.web.access import TOKEN, requires, sign_in_row, viewer
from portal.web.browsers import name_of
from portal.web.render import form_errors, page

bp = Blueprint("profile", __name__, url_prefix="/profile")


class PasswordForm(FlaskForm):  # type: ignore[misc]
    old_password = PasswordField(
        "Present password", [InputRequired("Please give your present password.")]
    )
    password = PasswordField("New password", [InputRequired("Please choose a new password.")])


class PhoneForm(FlaskForm):  # type: ignore[misc]
    phone = StringField("Phone number")


class TimeZoneForm(FlaskForm):  # type: ignore[misc]
    time_zone = SelectField("Time zone", choices=sorted(available_timezones()))


@bp.get("")
@requires(Permission.OWN_PROFILE)
def show() -> ResponseReturnValue:
    return _page(PasswordForm())


@bp.post("/password")
@requires(Permission.OWN_PROFILE)
def change_password() -> ResponseReturnValue:
    form = PasswordForm()
    if not form.validate_on_submit():
        return _page(form, status=422)
    try:
        sign_ins.change_password(
            form.old_password.data, form.password.data, by=viewer(), keep=session[TOKEN]
        )
    except Invalid as problem:
        form_errors(form, problem)
        return _page(form, status=422)
    flash("Your password is changed. Every other browser has been signed out.")
    return redirect(url_for("profile.show"), 303)


@bp.post("/phone")
@requires(Permission.OWN_PROFILE)
def change_phone() -> ResponseReturnValue:
    form = PhoneForm()
    try:
        person = operations.change_phone(form.phone.data or "", by=viewer())
    except Invalid as problem:
        form_errors(form, problem)
        return _page(PasswordForm(formdata=None), phone_form=form, status=422)
    flash("Your phone number is saved." if person.phone else "Your phone number is removed.")
    return redirect(url_for("profile.show"), 303)


@bp.post("/time-zone")
@requires(Permission.OWN_PROFILE)
def change_time_zone() -> ResponseReturnValue:
    form = TimeZoneForm()
    if not form.validate_on_submit():
        return _page(PasswordForm(formdata=None), zone_form=form, status=422)
    operations.change_time_zone(form.time_zone.data, by=viewer())
    flash(f"Times of schedules can be shown in {form.time_zone.data} now.")
    return redirect(url_for("profile.show"), 303)


@bp.post("/sign-ins/<int:sign_in_id>/revoke")
@requires(Permission.OWN_PROFILE)
def revoke(sign_in_id: int) -> ResponseReturnValue:
    sign_ins.revoke(sign_in_id, by=viewer())
    flash("That browser is signed out.")
    return redirect(url_for("profile.show"), 303)


@bp.post("/slack")
@requires(Permission.OWN_PROFILE)
def look_in_slack() -> ResponseReturnValue:
    mapping.look_for_oneself(by=viewer())
    flash("Slack is being asked. What came of it stands here in a moment.")
    return redirect(url_for("profile.show", _anchor="slack"), 303)


@bp.post("/slack/remove")
@requires(Permission.OWN_PROFILE)
def disconnect() -> ResponseReturnValue:
    mapping.remove(by=viewer())
    flash("You are no longer connected to Slack.")
    return redirect(url_for("profile.show", _anchor="slack"), 303)


def _page(
    form: PasswordForm,
    status: int = 200,
    *,
    phone_form: PhoneForm | None = None,
    zone_form: TimeZoneForm | None = None,
) -> ResponseReturnValue:
    return page(
        "profile/show.html",
        status=status,
        form=form,
        phone_form=phone_form or PhoneForm(formdata=None, obj=viewer()),
        zone_form=zone_form or TimeZoneForm(formdata=None, obj=viewer()),
        person=viewer(),
        reach=reachability.of_person(viewer()),
        in_slack=slack_users.of_person(viewer()),
        sign_ins=queries.sign_ins_of(viewer()),
        present=sign_in_row(),
        browser_name=name_of,
    )
