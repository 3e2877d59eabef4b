"""What is burning, who has it, and what happened to one alert?"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as WerkzeugResponse
from wtforms import StringField, TextAreaField

from portal.db import db
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts import operations, queries
from portal.domain.alerts.models import Alert, AlertStatus, Via
from portal.domain.routing import queries as routing
from portal.domain.sources import queries as sources
from portal.errors import Conflict, Invalid
from portal.slack import errors, places, tries
from portal.web import alert_content, dedicated_channels, escalations
from portal.web.access import requires, viewer
from portal.web.render import form_errors, fragment, page, row_id

bp = Blueprint("alerts", __name__)

Answer = Response | WerkzeugResponse | tuple[Response, int]

MOST_CHOSEN = 200  # alerts that are answered at once (product.md 7.1)
OPEN = (AlertStatus.PENDING, AlertStatus.ACKNOWLEDGED)
TABS: dict[str, tuple[AlertStatus, ...]] = {
    "open": OPEN,
    "pending": (AlertStatus.PENDING,),
    "acknowledged": (AlertStatus.ACKNOWLEDGED,),
    "resolved": (AlertStatus.RESOLVED,),
    "all": tuple(AlertStatus),
}


class CommentForm(FlaskForm):  # type: ignore[misc]
    """A remark for the timeline; operations.comment() knows how long it may be."""

    content = TextAreaField("Comment", id="comment-content")  # "content" is the page's <main>


class SummaryForm(FlaskForm):  # type: ignore[misc]
    """The alert in other words; operations.edit_summary() knows how long they may be."""

    summary = StringField("Summary")


@bp.get("/alerts")
@requires(Permission.SEE_ALERTS)
def index() -> Response:
    """The newest alerts first; unknown filters mean the usual ones."""
    context = listed(request.args)
    render = fragment if request.headers.get("HX-Target") == "alert-list" else page
    return render(f"alerts/{'_list' if render is fragment else 'index'}.html", **context)


def listed(filters: Mapping[str, str]) -> dict[str, Any]:
    """What `alerts/_list.html` shows: fifty alerts, or as many as can be chosen at once."""
    tab = filters.get("status", "open")
    tab = tab if tab in TABS else "open"
    source_id, before = row_id(filters.get("source")), row_id(filters.get("before"))
    size = MOST_CHOSEN if filters.get("size") == str(MOST_CHOSEN) else queries.PAGE
    found = queries.alerts_of(
        viewer(), statuses=TABS[tab], source_id=source_id, before_id=before, most=size
    )
    shown = found[:size]
    kept = {
        "status": tab,
        "source": source_id,
        "size": size if size != queries.PAGE else None,
    }
    return {
        "alerts": shown,
        "can_respond": viewer().can(Permission.RESPOND_TO_ALERTS),
        "counts": queries.open_counts(viewer()),
        "tabs": list(TABS),
        "tab": tab,
        "sources": sources.sources_of(viewer()),
        "source_id": source_id,
        "is_first_page": before is None,
        "next_before": shown[-1].id if len(found) > size else None,
        "kept": kept,  # the filters, for every link and form of the list
        "before": before,
        "most_chosen": MOST_CHOSEN,
    }


@bp.get("/alerts/<int:alert_id>")
@requires(Permission.SEE_ALERTS)
def show(alert_id: int) -> Response:
    return _show(queries.alert(viewer(), alert_id))


@bp.get("/alerts/<int:alert_id>/status")
@requires(Permission.SEE_ALERTS)
def status(alert_id: int) -> Response:
    return fragment("alerts/_status.html", **_status(queries.alert(viewer(), alert_id)))


@bp.get("/alerts/<int:alert_id>/timeline")
@requires(Permission.SEE_ALERTS)
def timeline(alert_id: int) -> Response:
    alert = queries.alert(viewer(), alert_id)
    return fragment("alerts/_timeline.html", alert=alert, **_timeline(alert))


@bp.get("/alerts/<int:alert_id>/details")
@requires(Permission.SEE_ALERTS)
def details(alert_id: int) -> Response:
    """All that was sent, however long; the page shows the beginning and leads here."""
    alert = queries.alert(viewer(), alert_id)
    answer = Response(alert_content.everything(alert, queries.comments(alert)))
    answer.headers["Content-Type"] = "text/plain; charset=utf-8"
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/alerts/<int:alert_id>/slack")
@requires(Permission.SEE_ALERTS)
def slack(alert_id: int) -> Response:
    alert = queries.alert(viewer(), alert_id)
    return slack_section(alert)


@bp.post("/alerts/<int:alert_id>/try-now")
@requires(Permission.RESPOND_TO_ALERTS)
def try_now(alert_id: int) -> Answer:
    """Have the alert's message in one channel tried at once."""
    tries.try_now(alert_id, request.form.get("channel_id", ""), by=viewer())
    if request.headers.get("HX-Request"):
        return slack_section(queries.alert(viewer(), alert_id))
    return redirect(url_for(".show", alert_id=alert_id))


@bp.post("/alerts/<int:alert_id>/acknowledge")
@requires(Permission.RESPOND_TO_ALERTS)
def acknowledge(alert_id: int) -> Answer:
    try:
        operations.acknowledge(alert_id, by=viewer(), via=Via.WEB)
    except Conflict as lost:
        db.session.rollback()
        return _answer(alert_id, str(lost))
    return _answer(alert_id)


@bp.post("/alerts/<int:alert_id>/resolve")
@requires(Permission.RESPOND_TO_ALERTS)
def resolve(alert_id: int) -> Answer:
    try:
        operations.resolve(alert_id, by=viewer(), via=Via.WEB)
    except Conflict as lost:
        db.session.rollback()
        return _answer(alert_id, str(lost))
    return _answer(alert_id)


@bp.post("/alerts/<int:alert_id>/comment")
@requires(Permission.RESPOND_TO_ALERTS)
def comment(alert_id: int) -> Answer:
    form = CommentForm()
    try:
        alert = operations.comment(alert_id, form.content.data or "", by=viewer(), via=Via.WEB)
    except Invalid as problem:
        db.session.rollback()
        form_errors(form, problem)
        return _unfit_comment(queries.alert(viewer(), alert_id), form)
    if request.headers.get("HX-Request"):
        empty = CommentForm(formdata=None)
        return _changed(fragment("alerts/_comment_form.html", form=empty, **_status(alert)))
    return redirect(url_for(".show", alert_id=alert_id, _anchor="alert-timeline"))


def _unfit_comment(alert: Alert, form: CommentForm) -> Answer:
    if request.headers.get("HX-Request"):
        return fragment("alerts/_comment_form.html", form=form, **_status(alert)), 422
    return _show(alert, form), 422


@bp.post("/alerts/<int:alert_id>/summary")
@requires(Permission.RESPOND_TO_ALERTS)
def edit_summary(alert_id: int) -> Answer:
    form = SummaryForm()
    words = form.summary.data or ""
    try:
        operations.edit_summary(alert_id, words, by=viewer(), via=Via.WEB)
    except (Invalid, Conflict) as problem:
        db.session.rollback()
        form_errors(form, Invalid(str(problem), field="summary"))
        return _show(queries.alert(viewer(), alert_id), summary_form=form), problem.status
    return redirect(url_for(".show", alert_id=alert_id))


def _show(
    alert: Alert, form: CommentForm | None = None, summary_form: SummaryForm | None = None
) -> Response:
    return page(
        "alerts/show.html",
        form=form or CommentForm(formdata=None),
        summary_form=summary_form or SummaryForm(formdata=None, summary=alert.summary),
        **_status(alert),
        **_story(alert),
    )


def _answer(alert_id: int, conflict: str | None = None) -> Answer:
    """The present state where the button was pressed: a row, the alert's head, or a whole page."""
    if not request.headers.get("HX-Request"):
        if conflict:
            flash(conflict, "warning")
        return redirect(url_for(".show", alert_id=alert_id))
    is_row = request.headers.get("HX-Target", "").startswith("alert-row")
    name = "_row" if is_row else "_status"
    shown = _status(queries.alert(viewer(), alert_id))
    return _changed(fragment(f"alerts/{name}.html", conflict=conflict, is_answer=True, **shown))


def _changed(answer: Response) -> Response:
    """Have the other fragments of the page fetch themselves anew at once."""
    answer.headers["HX-Trigger"] = "alert-changed"
    return answer


def _status(alert: Alert) -> dict[str, Any]:
    return {"alert": alert, "can_respond": viewer().can(Permission.RESPOND_TO_ALERTS)}


def slack_section(alert: Alert, *, conflict: str | None = None) -> Response:
    """Where it is shown, what can be posted by hand, and why nothing was changed just now."""
    can_respond = viewer().can(Permission.RESPOND_TO_ALERTS)
    return fragment(
        "alerts/_slack.html",
        alert=alert,
        can_respond=can_respond,
        conflict=conflict,
        **_places(alert),
    )


def _places(alert: Alert) -> dict[str, Any]:
    shown = places.places(alert)
    return {
        "places": shown,
        "actions": [] if shown else routing.why_not(alert),
        "manual_actions": routing.manual_actions(alert),
        "words": errors.words,
        "can_manage_actions": viewer().can(Permission.MANAGE_ALERT_ACTIONS),
    }


def _timeline(alert: Alert) -> dict[str, Any]:
    entries = queries.timeline(alert)
    return {
        "timeline": entries,
        "left_out": queries.left_out(alert, entries),
        "words": errors.words,
        "longest": alert_content.SHOWN,
    }


def _story(alert: Alert) -> dict[str, Any]:
    return {
        **_places(alert),
        **_timeline(alert),
        **escalations.context(alert),
        **dedicated_channels.context(alert),
        "custom_details": alert_content.custom_details(alert),
    }
