"""In which Slack channels may anybody ask and alert, and whom does that reach?"""

from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as WerkzeugResponse

from portal.db import db, now
from portal.domain.accounts.permissions import Permission
from portal.domain.escalation import outlook
from portal.domain.escalation import queries as escalation
from portal.domain.slack_sources import operations, queries
from portal.domain.slack_sources.models import LABEL, SlackSource
from portal.domain.sources.models import AlertSource
from portal.errors import Conflict, Invalid
from portal.slack import conversations, installations, people
from portal.slack.messages.new_alert import ALERT_TITLE
from portal.web import slack_source_form
from portal.web.access import requires, viewer
from portal.web.render import form_errors, fragment, page
from portal.web.slack_source_form import SlackSettingsForm, TypedOffer

bp = Blueprint("slack_sources", __name__, url_prefix="/alert-sources/<int:source_id>/slack")

MOST_SHOWN = 50  # channels at once; the rest is searched


@bp.get("")
@requires(Permission.MANAGE_ALERT_SOURCES)
def show(source_id: int) -> Response:
    source, settings = queries.settings_of(viewer(), source_id)
    form = SlackSettingsForm(formdata=None, obj=settings)
    chosen = [channel.channel_id for channel in settings.channels] if settings else []
    offers = slack_source_form.of_settings(settings)
    return _form(source, settings, form, offers, chosen)


@bp.post("")
@requires(Permission.MANAGE_ALERT_SOURCES)
def save(source_id: int) -> Response | WerkzeugResponse:
    """Save the form; or, when one of the editor's buttons was pressed, answer with it changed."""
    source, settings = queries.settings_of(viewer(), source_id)
    form, offers = SlackSettingsForm(), slack_source_form.typed(request.form)
    chosen = request.form.getlist("channels")
    if "do" in request.form:
        return _edited(source, settings, form, offers, chosen)
    names = _names(settings)
    try:
        draft = slack_source_form.draft(form, offers, {id: names.get(id, "") for id in chosen})
        operations.save(source_id, draft, by=viewer())
    except (Invalid, Conflict) as problem:
        db.session.rollback()
        _place(problem, form, offers)
        source, settings = queries.settings_of(viewer(), source_id)
        return _form(source, settings, form, offers, chosen, problem=problem)
    flash("Saved. It counts from the next command on.", "success")
    return redirect(url_for("alert_sources.show", source_id=source_id))


@bp.post("/preview")
@requires(Permission.MANAGE_ALERT_SOURCES)
def preview(source_id: int) -> Response:
    """What a command would be answered, by what is typed just now."""
    queries.settings_of(viewer(), source_id)
    offers = slack_source_form.typed(request.form)
    return fragment("slack_sources/_preview.html", **_preview(SlackSettingsForm(), offers))


@bp.get("/channels")
@requires(Permission.MANAGE_ALERT_SOURCES)
def channels(source_id: int) -> Response:
    """The channels that fit `?q=`; those already chosen stay among them."""
    source, settings = queries.settings_of(viewer(), source_id)
    chosen = request.args.getlist("channels")
    return fragment("slack_sources/_channels.html", source=source, **_channels(settings, chosen))


@bp.post("/channels")
@requires(Permission.MANAGE_ALERT_SOURCES)
def refresh_channels(source_id: int) -> Response:
    source, settings = queries.settings_of(viewer(), source_id)
    if installations.of_account(source.account_id) is not None:
        conversations.ask_refresh(source.account_id)
    chosen = request.form.getlist("channels")
    return fragment("slack_sources/_channels.html", source=source, **_channels(settings, chosen))


def _form(
    source: AlertSource,
    settings: SlackSource | None,
    form: SlackSettingsForm,
    offers: list[TypedOffer],
    chosen: list[str],
    *,
    problem: Invalid | Conflict | None = None,
    focus: str = "",
) -> Response:
    return page(
        "slack_sources/show.html",
        status=422 if problem else 200,
        source=source,
        field_problem={_field(problem): str(problem)} if problem else {},
        focus=focus,
        **_channels(settings, chosen),
        **_preview(form, offers),
    )


def _edited(
    source: AlertSource,
    settings: SlackSource | None,
    form: SlackSettingsForm,
    offers: list[TypedOffer],
    chosen: list[str],
) -> Response:
    offers, focus = slack_source_form.edited(offers, request.form["do"])
    if not request.headers.get("HX-Request"):
        return _form(source, settings, form, offers, chosen, focus=focus)
    return fragment(
        "slack_sources/_offers.html",
        source=source,
        field_problem={},
        focus=focus,
        **_preview(form, offers),
    )


def _place(problem: Invalid | Conflict, form: SlackSettingsForm, offers: list[TypedOffer]) -> None:
    """Put the sentence where it belongs: at the field, at one of the policies, or on top."""
    kind, _, place = _field(problem).partition("-")
    if kind == "offers" and place:
        offers[int(place)].error = str(problem)
    elif kind not in ("channels", "offers"):
        form_errors(form, Invalid(str(problem), field=_field(problem)))


def _field(problem: Invalid | Conflict | None) -> str:
    return (problem.field or "") if isinstance(problem, Invalid) else ""


def _preview(form: SlackSettingsForm, offers: list[TypedOffer]) -> dict[str, Any]:
    policies = {str(policy.id): policy for policy in escalation.policies_of(viewer())}
    known = [each for each in offers if each.policy_id in policies]
    plans = {policies[each.policy_id].id: policies[each.policy_id].plan for each in known}
    return {
        "form": form,
        "offers": offers,
        "policies": {id: policy.name for id, policy in policies.items()},
        "levels": {str(id): found for id, found in outlook.levels_of(plans, now()).items()},
        "reachable": people.reachable(viewer().account_id),
        "is_full": slack_source_form.is_full(offers),
        "alert_title": ALERT_TITLE,
        "default_label": LABEL,
    }


def _names(settings: SlackSource | None) -> dict[str, str]:
    """The channels that can be chosen, by id: those that Slack lists and those chosen before."""
    kept = {each.channel_id: each.channel_name for each in settings.channels} if settings else {}
    known = conversations.known_channels(viewer().account_id or 0).channels
    return kept | {each.id: each.name for each in known}


def _channels(settings: SlackSource | None, chosen: list[str]) -> dict[str, Any]:
    """What `_channels.html` shows: the chosen ones first, then those that fit the search."""
    names, q = _names(settings), request.values.get("q", "")
    asked = q.strip().lstrip("#").lower()
    by_name = sorted(names.items(), key=lambda each: each[1])
    fitting = [each for each in by_name if asked in each[1] and each[0] not in chosen]
    return {
        "known": conversations.known_channels(viewer().account_id or 0),
        "shown": [each for each in by_name if each[0] in chosen] + fitting[:MOST_SHOWN],
        "left_out": len(fitting) - MOST_SHOWN,
        "chosen": chosen,
        "q": q,
        "installation": installations.of_account(viewer().account_id),
        "can_link": viewer().can(Permission.MANAGE_CONNECTORS),
    }
