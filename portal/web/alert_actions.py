"""Which sources' alerts appear in which Slack channels, and how does a person choose that?"""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as WerkzeugResponse
from wtforms import SelectChoice

from portal.db import db
from portal.domain.accounts.permissions import Permission
from portal.domain.routing import conditions, operations, queries, triggers
from portal.domain.routing.drafts import ActionDraft, Channel
from portal.domain.routing.models import AlertAction
from portal.domain.sources import queries as sources
from portal.domain.sources.models import AlertSource
from portal.errors import Conflict, Invalid
from portal.slack import action_activity, conversations, deliveries, errors, installations
from portal.web import alert_action_form as forms
from portal.web.access import requires, viewer
from portal.web.alert_action_form import ActionForm, ConditionRow
from portal.web.paging import part
from portal.web.render import form_errors, fragment, page

bp = Blueprint("alert_actions", __name__)

Answer = Response | WerkzeugResponse
Save = Callable[[ActionDraft], AlertAction]

MOST_SHOWN = 100  # channels at once; the rest is searched
MOST_FALLBACKS = 500  # in one list
WORDS: dict[str, Any] = {
    "labels": triggers.LABELS,
    "fields": conditions.FIELDS,
    "criteria": conditions.CRITERIA,
}


@bp.get("/alert-actions")
@requires(Permission.SEE_ALERT_SOURCES)
def index() -> Response:
    return page(
        "alert_actions/index.html",
        part=part(queries.actions_of(viewer())),
        all_sources=sources.sources_of(viewer()),
        **_context(),
    )


@bp.get("/alert-actions/<int:action_id>")
@requires(Permission.SEE_ALERT_SOURCES)
def show(action_id: int) -> Response:
    action = queries.action(viewer(), action_id)
    return page(
        "alert_actions/show.html",
        action=action,
        all_sources=sources.sources_of(viewer()),
        activity=action_activity.of(viewer(), action),
        **_test_context(action),
        **_context(),
        **WORDS,
    )


@bp.get("/alert-actions/new")
@requires(Permission.MANAGE_ALERT_ACTIONS)
def new() -> Response:
    """An empty form; `?source=` ticks the source that the person comes from."""
    return _form(forms.empty(request.args.getlist("source", type=int)), [], None)


@bp.post("/alert-actions/new")
@requires(Permission.MANAGE_ALERT_ACTIONS)
def create() -> Answer:
    account = viewer().account
    assert account is not None  # noqa: S101 - whoever may manage actions has an account
    return _save(None, lambda draft: operations.create(draft, account=account, by=viewer()))


@bp.get("/alert-actions/<int:action_id>/edit")
@requires(Permission.MANAGE_ALERT_ACTIONS)
def edit(action_id: int) -> Response:
    action = queries.action(viewer(), action_id)
    draft = queries.draft_of(action)
    return _form(forms.filled(draft), forms.rows_of(draft), action)


@bp.post("/alert-actions/<int:action_id>/edit")
@requires(Permission.MANAGE_ALERT_ACTIONS)
def change(action_id: int) -> Answer:
    action = queries.action(viewer(), action_id)
    return _save(action, lambda draft: operations.change(action_id, draft, by=viewer()))


@bp.post("/alert-actions/<int:action_id>/clone")
@requires(Permission.MANAGE_ALERT_ACTIONS)
def clone(action_id: int) -> WerkzeugResponse:
    """Make a copy, for the sources that were chosen, and open it."""
    chosen = [
        sources.source(viewer(), source_id)
        for source_id in request.form.getlist("sources", type=int)
    ]
    try:
        copy = operations.clone(action_id, sources=chosen, by=viewer())
    except Invalid as problem:
        db.session.rollback()
        flash(str(problem), "error")
        return redirect(url_for(".show", action_id=action_id))
    flash("This is the copy. It is in use already; change what should differ.", "success")
    return redirect(url_for(".edit", action_id=copy.id))


@bp.post("/alert-actions/<int:action_id>/test")
@requires(Permission.MANAGE_ALERT_ACTIONS)
def test(action_id: int) -> Answer:
    try:
        operations.test(action_id, by=viewer())
    except Conflict as problem:
        db.session.rollback()
        if not request.headers.get("HX-Request"):
            flash(str(problem), "warning")
    if not request.headers.get("HX-Request"):
        return redirect(url_for(".show", action_id=action_id))
    return _test(queries.action(viewer(), action_id))


@bp.get("/alert-actions/<int:action_id>/test")
@requires(Permission.MANAGE_ALERT_ACTIONS)
def test_answer(action_id: int) -> Response:
    return _test(queries.action(viewer(), action_id))


@bp.post("/alert-actions/<int:action_id>/delete")
@requires(Permission.MANAGE_ALERT_ACTIONS)
def delete(action_id: int) -> WerkzeugResponse:
    action = queries.action(viewer(), action_id)
    name, place = action.name, action.place
    operations.delete(action_id, by=viewer())
    flash(f"{name} is deleted: it sends no new alerts to {place}.", "success")
    return redirect(url_for(".index"))


@bp.get("/alert-actions/channels")
@requires(Permission.MANAGE_ALERT_ACTIONS)
def channels() -> Response:
    """The channels to choose from that fit `?q=`; those already chosen stay among them."""
    return fragment("alert_actions/_channels.html", **_channels(request.args.getlist("channels")))


@bp.post("/alert-actions/channels/refresh")
@requires(Permission.MANAGE_ALERT_ACTIONS)
def refresh_channels() -> Answer:
    account_id = viewer().account_id
    if installations.of_account(account_id) is not None and account_id is not None:
        conversations.ask_refresh(account_id)
    if not request.headers.get("HX-Request"):
        return redirect(url_for(".new"))
    chosen = request.form.getlist("channels")
    return fragment("alert_actions/_channels.html", **_channels(chosen))


def _save(action: AlertAction | None, save: Save) -> Answer:
    """Store what was typed, or show it again: with a button's change, or with what does not fit."""
    form, rows, deed = ActionForm(), forms.typed_rows(request.form), request.form.get("do", "")
    if deed:
        rows = forms.edited(form, rows, deed)
        name = "_triggers" if deed in ("all", "none") else "_conditions"
        if request.headers.get("HX-Request"):
            return fragment(f"alert_actions/{name}.html", form=form, rows=rows, **WORDS)
        return _form(form, rows, action)
    names = _names(action)
    chosen = [(each, names.get(each, "")) if each in names else ("", "") for each in _ids(form)]
    other = form.fallback_channel_id.data or ""
    fallback: Channel | None = (other if other in names else "", names.get(other, ""))
    try:
        draft = forms.draft(form, rows, _sources(form), chosen, fallback if other else None)
        saved = save(draft)
    except Invalid as problem:
        db.session.rollback()
        form_errors(form, problem)
        return _form(form, rows, action and queries.action(viewer(), action.id), status=422)
    said = "is changed. Alerts already shown stay where they are." if action else "is ready."
    flash(f"{saved.name} {said}", "success")
    return redirect(url_for(".show", action_id=saved.id))


def _form(
    form: ActionForm, rows: list[ConditionRow], action: AlertAction | None, status: int = 200
) -> Response:
    offered = {each.id: f"#{each.name}" for each in _known().channels[:MOST_FALLBACKS]}
    if action is not None and action.fallback_channel_id:
        offered.setdefault(action.fallback_channel_id, f"#{action.fallback_channel_name}")
    form.fallback_channel_id.choices = [
        SelectChoice(channel_id, name) for channel_id, name in [("", "none"), *offered.items()]
    ]
    return page(
        "alert_actions/form.html",
        status=status,
        form=form,
        rows=rows,
        action=action,
        sources=sources.sources_of(viewer()),
        **WORDS,
        **_channels(_ids(form), _names(action)),
    )


def _ids(form: ActionForm) -> list[str]:
    return list(dict.fromkeys(form.channels.data or []))


def _sources(form: ActionForm) -> list[AlertSource]:
    return [sources.source(viewer(), source_id) for source_id in form.sources.data or []]


def _names(action: AlertAction | None) -> dict[str, str]:
    """Id → name of every channel that may be chosen, also of those that an action has already."""
    names = {each.id: each.name for each in _known().channels}
    if action is None:
        return names
    kept = {each.channel_id: each.channel_name for each in action.channels}
    if action.fallback_channel_id:
        kept[action.fallback_channel_id] = action.fallback_channel_name or ""
    return kept | names


def _known() -> conversations.KnownChannels:
    account_id = viewer().account_id
    assert account_id is not None  # noqa: S101 - whoever may manage actions has an account
    return conversations.known_channels(account_id)


def _channels(chosen: list[str], names: dict[str, str] | None = None) -> dict[str, Any]:
    """What `_channels.html` shows: the chosen channels first, then those that fit the search."""
    known, asked = _known(), request.values.get("q", "").strip().lstrip("#").lower()
    listed = {each.id: each for each in known.channels}
    kept = [
        listed.get(channel_id)
        or conversations.Channel(channel_id, (names or {})[channel_id], False, is_member=True)
        for channel_id in chosen
        if channel_id in listed or channel_id in (names or {})
    ]
    fitting = [each for each in known.channels if asked in each.name and each.id not in chosen]
    return {
        "known": known,
        "shown": kept + fitting[:MOST_SHOWN],
        "left_out": len(fitting) - MOST_SHOWN,
        "chosen": chosen,
        "q": request.values.get("q", ""),
        "installation": installations.of_account(viewer().account_id),
        "can_link": viewer().can(Permission.MANAGE_CONNECTORS),
    }


def _context() -> dict[str, Any]:
    return {
        "installation": installations.of_account(viewer().account_id),
        "health": deliveries.health(viewer().account_id),
        "can_manage": viewer().can(Permission.MANAGE_ALERT_ACTIONS),
    }


def _test(action: AlertAction) -> Response:
    return fragment("alert_actions/_test.html", action=action, **_test_context(action))


def _test_context(action: AlertAction) -> dict[str, Any]:
    return {"tests": queries.tests_of(action), "words": errors.words}
