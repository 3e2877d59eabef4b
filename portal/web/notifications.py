"""How does somebody want to be told, and does it reach them?"""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectChoice, SelectField

from portal.db import db, now
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts.models import Priority
from portal.domain.notifications import operations, queries
from portal.domain.notifications.models import WAYS, Preferences, Way
from portal.errors import Conflict, Invalid
from portal.slack import people
from portal.web import reachability
from portal.web.access import requires, viewer
from portal.web.render import form_errors, fragment, page

bp = Blueprint("notifications", __name__, url_prefix="/profile/notifications")

NEVER = ""
TIMES = [
    SelectChoice(NEVER, "Never"),
    SelectChoice("0", "At once"),
    SelectChoice("1", "After 1 minute"),
    *(SelectChoice(str(n), f"After {n} minutes") for n in (2, 3, 5, 10, 15, 30, 60)),
]
MINUTES = {choice.value for choice in TIMES}
MUTES = {"1": "1 hour", "4": "4 hours", "8": "8 hours", "24": "1 day", "168": "1 week"}
TESTS_SHOWN = timedelta(minutes=15)


class RulesForm(FlaskForm):  # type: ignore[misc]
    """Named as the columns of Preferences: one field for each way and priority, and updates."""

    slack_high = SelectField("Slack, high priority", choices=TIMES, validate_choice=False)
    email_high = SelectField("E-mail, high priority", choices=TIMES, validate_choice=False)
    slack_low = SelectField("Slack, low priority", choices=TIMES, validate_choice=False)
    email_low = SelectField("E-mail, low priority", choices=TIMES, validate_choice=False)
    status_updates = BooleanField("Status updates in Slack")


@bp.get("")
@requires(Permission.OWN_PROFILE)
def show() -> ResponseReturnValue:
    return _page(_filled(queries.preferences_of(viewer())))


@bp.post("")
@requires(Permission.OWN_PROFILE)
def choose() -> ResponseReturnValue:
    form = RulesForm()
    if not form.validate_on_submit():
        return _page(form, status=422)
    try:
        operations.choose(_chosen(form), status_updates=form.status_updates.data, by=viewer())
    except Invalid as problem:
        db.session.rollback()
        form_errors(form, problem)
        return _page(form, status=422)
    flash("Saved. It counts from the next time you are asked.", "success")
    return redirect(url_for(".show"), 303)


@bp.post("/mute")
@requires(Permission.OWN_PROFILE)
def mute() -> ResponseReturnValue:
    hours = request.form.get("hours", "")
    if hours not in MUTES:
        raise Invalid("Please choose one of the times in the list.", field="hours")
    operations.mute(int(hours), by=viewer())
    flash(f"You are muted for {MUTES[hours]}: nobody can reach you through Tocsin.", "warning")
    return redirect(url_for(".show"), 303)


@bp.post("/unmute")
@requires(Permission.OWN_PROFILE)
def unmute() -> ResponseReturnValue:
    operations.unmute(by=viewer())
    flash("You are told again.", "success")
    return redirect(url_for(".show"), 303)


@bp.post("/test")
@requires(Permission.OWN_PROFILE)
def test() -> ResponseReturnValue:
    """Send a test on every way there is, and show by itself what comes of it."""
    problem = ""
    try:
        operations.send_test(reachability.offered(), by=viewer())
    except Conflict as refused:
        db.session.rollback()
        problem = str(refused)
    if request.headers.get("HX-Request"):
        return fragment("profile/_test.html", **_tests(), problem=problem)
    if problem:
        flash(problem, "warning")
    return redirect(url_for(".show", _anchor="test"), 303)


@bp.get("/test")
@requires(Permission.OWN_PROFILE)
def test_outcome() -> Response:
    return fragment("profile/_test.html", **_tests())


def _filled(chosen: Preferences) -> RulesForm:
    values: dict[str, str | bool] = {"status_updates": chosen.status_updates}
    for name in (f"{way}_{priority}" for priority in Priority for way in Way):
        minutes = getattr(chosen, name)
        values[name] = NEVER if minutes is None else str(minutes)
    return RulesForm(formdata=None, data=values)


def _chosen(form: RulesForm) -> dict[Priority, dict[Way, int | None]]:
    def minutes(way: Way, priority: Priority) -> int | None:
        field = f"{way}_{priority}"
        typed = form[field].data
        if typed not in MINUTES:
            raise Invalid("Please choose one of the times in the list.", field=field)
        return None if typed == NEVER else int(typed)

    return {priority: {way: minutes(way, priority) for way in Way} for priority in Priority}


def _tests() -> dict[str, Any]:
    tests = queries.tests_of(viewer(), since=now() - TESTS_SHOWN)
    return {"tests": tests, "ways": WAYS, "offered": reachability.offered()}


def _page(form: RulesForm, status: int = 200) -> ResponseReturnValue:
    return page(
        "profile/notifications.html",
        status=status,
        form=form,
        person=viewer(),
        is_asked=viewer().can(Permission.RESPOND_TO_ALERTS),
        reach=reachability.of_person(viewer()),
        is_in_slack=viewer().id in people.reachable(viewer().account_id),
        mutes=MUTES,
        **_tests(),
    )
