"""Which sources' alerts appear in which Slack channel, and how does a person choose that?"""

from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as WerkzeugResponse
from wtforms import SelectChoice, SelectField, SelectMultipleField, StringField

from portal.db import db
from portal.domain.accounts.permissions import Permission
from portal.domain.routing import operations, queries
from portal.domain.routing.models import AfterStorm, AlertAction
from portal.domain.sources import queries as sources
from portal.domain.sources.models import AlertSource
from portal.errors import Invalid
from portal.slack import conversations, deliveries, installations
from portal.web.access import requires, viewer
from portal.web.paging import part
from portal.web.render import form_errors, fragment, page

bp = Blueprint("alert_actions", __name__)

MOST_SHOWN = 100  # channels at once; the rest is searched
MOST_FALLBACKS = 500  # in one list


class ActionForm(FlaskForm):  # type: ignore[misc]
    """What an action does; operations.create() knows which values fit."""

    sources = SelectMultipleField("Alert sources", coerce=int)
    channel_id = StringField("Channel")
    name = StringField("Name")
    fallback_channel_id = SelectField(
        "Another channel, while nothing can be posted to this one", validate_choice=False
    )
    after_storm = SelectField(
        "When a storm is over, open alerts of its summary",
        choices=[
            SelectChoice(AfterStorm.SUMMARY.value, "stay in the summary"),
            SelectChoice(AfterStorm.OWN.value, "get messages of their own"),
        ],
        default=AfterStorm.SUMMARY.value,
    )


@bp.get("/alert-actions")
@requires(Permission.SEE_ALERT_SOURCES)
def index() -> Response:
    return page(
        "alert_actions/index.html",
        part=part(queries.actions_of(viewer())),
        installation=installations.of_account(viewer().account_id),
        health=deliveries.health(viewer().account_id),
        can_manage=viewer().can(Permission.MANAGE_ALERT_ACTIONS),
    )


@bp.get("/alert-actions/new")
@requires(Permission.MANAGE_ALERT_ACTIONS)
def new() -> Response:
    """An empty form; `?source=` ticks the source that the person comes from."""
    form = ActionForm(formdata=None, sources=request.args.getlist("source", type=int))
    return _form(form, None)


@bp.post("/alert-actions/new")
@requires(Permission.MANAGE_ALERT_ACTIONS)
def create() -> Response | WerkzeugResponse:
    form, account = ActionForm(), viewer().account
    assert account is not None  # noqa: S101 - whoever may manage actions has an account
    channel_id, channel_name = _chosen_channel(form, None)
    try:
        action = operations.create(
            account=account,
            sources=_chosen_sources(form),
            channel_id=channel_id,
            channel_name=channel_name,
            name=form.name.data or "",
            fallback=_chosen_fallback(form),
            after_storm=_after_storm(form),
            by=viewer(),
        )
    except Invalid as problem:
        return _unfit(form, problem, None)
    flash(f"New alerts will appear in #{action.channel_name}.", "success")
    return redirect(url_for(".index"))


@bp.get("/alert-actions/<int:action_id>")
@requires(Permission.MANAGE_ALERT_ACTIONS)
def show(action_id: int) -> Response:
    action = queries.action(viewer(), action_id)
    filled = {
        "sources": [source.id for source in action.sources],
        "channel_id": action.channel_id,
        "name": action.name,
        "fallback_channel_id": action.fallback_channel_id or "",
        "after_storm": action.after_storm.value,
    }
    return _form(ActionForm(formdata=None, data=filled), action)


@bp.post("/alert-actions/<int:action_id>")
@requires(Permission.MANAGE_ALERT_ACTIONS)
def change(action_id: int) -> Response | WerkzeugResponse:
    form = ActionForm()
    channel_id, channel_name = _chosen_channel(form, queries.action(viewer(), action_id))
    try:
        action = operations.change(
            action_id,
            sources=_chosen_sources(form),
            channel_id=channel_id,
            channel_name=channel_name,
            name=form.name.data or "",
            fallback=_chosen_fallback(form, queries.action(viewer(), action_id)),
            after_storm=_after_storm(form),
            by=viewer(),
        )
    except Invalid as problem:
        return _unfit(form, problem, action_id)
    flash(f"{action.name} is changed. Alerts already shown stay where they are.", "success")
    return redirect(url_for(".index"))


@bp.post("/alert-actions/<int:action_id>/delete")
@requires(Permission.MANAGE_ALERT_ACTIONS)
def delete(action_id: int) -> WerkzeugResponse:
    action = queries.action(viewer(), action_id)
    name, channel_name = action.name, action.channel_name
    operations.delete(action_id, by=viewer())
    flash(f"{name} is deleted: it sends no new alerts to #{channel_name}.", "success")
    return redirect(url_for(".index"))


@bp.get("/alert-actions/channels")
@requires(Permission.MANAGE_ALERT_ACTIONS)
def channels() -> Response:
    """The channels to choose from that fit `?q=`; the one already chosen stays among them."""
    return fragment("alert_actions/_channels.html", **_channels(request.args.get("channel_id", "")))


@bp.post("/alert-actions/channels/refresh")
@requires(Permission.MANAGE_ALERT_ACTIONS)
def refresh_channels() -> Response | WerkzeugResponse:
    account_id = viewer().account_id
    if installations.of_account(account_id) is not None and account_id is not None:
        conversations.ask_refresh(account_id)
    if not request.headers.get("HX-Request"):
        return redirect(url_for(".new"))
    chosen = request.form.get("channel_id", "")
    return fragment("alert_actions/_channels.html", **_channels(chosen))


def _chosen_fallback(form: ActionForm, action: AlertAction | None = None) -> tuple[str, str] | None:
    """Id and name of the other channel; two empty texts for one that we do not know."""
    chosen = form.fallback_channel_id.data or ""
    names = {each.id: each.name for each in _known().channels}
    if action is not None:
        names.setdefault(action.channel_id, action.channel_name)
        names.setdefault(action.fallback_channel_id or "", action.fallback_channel_name or "")
    if not chosen:
        return None
    return (chosen, names[chosen]) if chosen in names else ("", "")


def _after_storm(form: ActionForm) -> AfterStorm:
    chosen = form.after_storm.data
    return AfterStorm(chosen) if chosen in list(AfterStorm) else AfterStorm.SUMMARY


def _offer_fallbacks(form: ActionForm, action: AlertAction | None) -> None:
    offered = {each.id: f"#{each.name}" for each in _known().channels[:MOST_FALLBACKS]}
    if action is not None and action.fallback_channel_id:
        offered.setdefault(action.fallback_channel_id, f"#{action.fallback_channel_name}")
    form.fallback_channel_id.choices = [
        SelectChoice(channel_id, name) for channel_id, name in [("", "none"), *offered.items()]
    ]


def _form(form: ActionForm, action: AlertAction | None, status: int = 200) -> Response:
    _offer_fallbacks(form, action)
    return page(
        "alert_actions/form.html",
        status=status,
        form=form,
        action=action,
        sources=sources.sources_of(viewer()),
        **_channels(form.channel_id.data or "", action),
    )


def _unfit(form: ActionForm, problem: Invalid, action_id: int | None) -> Response:
    db.session.rollback()
    form_errors(form, problem)
    action = None if action_id is None else queries.action(viewer(), action_id)
    return _form(form, action, status=422)


def _chosen_sources(form: ActionForm) -> list[AlertSource]:
    return [sources.source(viewer(), source_id) for source_id in form.sources.data or []]


def _chosen_channel(form: ActionForm, action: AlertAction | None) -> tuple[str, str]:
    """Id and name of the chosen channel; two empty texts for one that we do not know."""
    chosen = form.channel_id.data or ""
    names = {each.id: each.name for each in _known().channels}
    if action is not None:
        names.setdefault(action.channel_id, action.channel_name)
    return (chosen, names[chosen]) if chosen in names else ("", "")


def _known() -> conversations.KnownChannels:
    account_id = viewer().account_id
    assert account_id is not None  # noqa: S101 - whoever may manage actions has an account
    return conversations.known_channels(account_id)


def _channels(chosen: str, action: AlertAction | None = None) -> dict[str, Any]:
    """What `_channels.html` shows: the chosen channel first, then those that fit the search."""
    known, asked = _known(), request.values.get("q", "").strip().lstrip("#").lower()
    fitting = [each for each in known.channels if asked in each.name and each.id != chosen]
    first = [each for each in known.channels if each.id == chosen]
    if not first and action is not None and action.channel_id == chosen:
        kept = conversations.Channel(chosen, action.channel_name, is_private=False, is_member=True)
        first = [kept]
    return {
        "known": known,
        "shown": first + fitting[:MOST_SHOWN],
        "left_out": len(fitting) - MOST_SHOWN,
        "chosen": chosen,
        "q": request.values.get("q", ""),
        "installation": installations.of_account(viewer().account_id),
        "can_link": viewer().can(Permission.MANAGE_CONNECTORS),
    }
