"""How are many alerts answered at once on their list?"""

from collections.abc import Sequence

from flask import Blueprint, Response, request
from htmx_flask import request as htmx_request

from portal.db import db
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts import bulk
from portal.domain.alerts.bulk import Bulk, Fate, Outcome
from portal.domain.alerts.models import Via
from portal.errors import Invalid
from portal.web import alerts
from portal.web.access import requires, viewer
from portal.web.render import fragment, page, row_id

bp = Blueprint("alerts_in_bulk", __name__)

CALLED = {Bulk.ACKNOWLEDGE: "acknowledged", Bulk.RESOLVE: "resolved"}
REASONS_LISTED = 20


@bp.post("/alerts/bulk")
@requires(Permission.RESPOND_TO_ALERTS)
def answer() -> Response:
    """Acknowledge or resolve the chosen alerts, each by itself; the same list, with what came of it."""
    try:
        verb, chosen = _verb(), _chosen()
        comment = request.form.get("comment", "") if verb is Bulk.RESOLVE else ""
        outcomes = bulk.each(chosen, verb, by_id=viewer().id, via=Via.WEB, comment=comment)
    except Invalid as problem:
        db.session.rollback()
        return _refused(str(problem))
    return _list(said=said(outcomes, verb), skipped=_skipped(outcomes))


def said(outcomes: Sequence[Outcome], verb: Bulk) -> str:
    """“3 acknowledged, 2 skipped.”"""
    done = sum(outcome.fate is Fate.DONE for outcome in outcomes)
    skipped = f", {len(outcomes) - done} skipped" if done < len(outcomes) else ""
    return f"{done} {CALLED[verb]}{skipped}."


def _verb() -> Bulk:
    deed = request.form.get("deed", "")
    if deed not in list(Bulk):
        raise Invalid("Please choose Acknowledge or Resolve.")
    return Bulk(deed)


def _chosen() -> list[int]:
    ids = dict.fromkeys(row_id(text) for text in request.form.getlist("alert"))
    chosen = [alert_id for alert_id in ids if alert_id is not None]
    if not chosen:
        raise Invalid("Please choose at least one alert.")
    if len(chosen) > alerts.MOST_CHOSEN:
        raise Invalid(f"Please choose at most {alerts.MOST_CHOSEN} alerts at a time.")
    return chosen


def _skipped(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.fate is not Fate.DONE]


def _list(**result: object) -> Response:
    shown = {**alerts.listed(request.form), **result, "reasons_listed": REASONS_LISTED}
    if htmx_request.htmx:
        return fragment("alerts/_list.html", is_bulk_answer=True, **shown)
    return page("alerts/index.html", **shown)


def _refused(problem: str) -> Response:
    """Beside what was chosen and typed, which stays where it is."""
    if not htmx_request.htmx:
        return page("alerts/index.html", status=422, problem=problem, **alerts.listed(request.form))
    answer = fragment("alerts/_bulk_notice.html", status=422, problem=problem)
    answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#alert-notice", "outerHTML"
    return answer
