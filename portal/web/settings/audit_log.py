"""Who changed what in the account? To read, to search, and to take away as a spreadsheet."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request, stream_with_context

from portal.db import db, now
from portal.domain.accounts import queries as accounts
from portal.domain.accounts.permissions import Permission
from portal.domain.audit import queries
from portal.domain.audit.queries import Asked, Outsider
from portal.web import csv_lines
from portal.web.access import requires, viewer
from portal.web.audit_words import Kind, Told, actions_of, tell
from portal.web.render import fragment, page, row_id, search_text

bp = Blueprint("audit_log", __name__)

OUTSIDERS = {
    Outsider.SUPPORT: "Support staff",
    Outsider.SLACK: "Slack",
    Outsider.COMMAND_LINE: "The command line",
}
KINDS = {kind.name.lower().replace("_", "-"): kind for kind in Kind}
FILTERS = ("who", "kind", "from", "to", "q")
COLUMNS = ("Time (UTC)", "Who", "Deed", "In words", "On what", "Details")
ROWS_AT_ONCE = 500


@bp.get("/settings/audit-log")
@requires(Permission.SEE_AUDIT_LOG)
def index() -> Response:
    """The newest entries first, fifty on a page; a filter that cannot be read asks for everything."""
    found = queries.entries_of(viewer(), _asked(), before_id=row_id(request.args.get("before")))
    shown = found[: queries.PAGE]
    render = fragment if request.headers.get("HX-Target") == "audit-list" else page
    return render(
        f"settings/audit_log/{'_list' if render is fragment else 'index'}.html",
        entries=[tell(entry) for entry in shown],
        filters={name: request.args[name] for name in FILTERS if request.args.get(name)},
        people=accounts.people_of(viewer()),
        outsiders=OUTSIDERS,
        kinds=KINDS,
        is_first_page="before" not in request.args,
        next_before=shown[-1].id if len(found) > queries.PAGE else None,
    )


@bp.get("/settings/audit-log.csv")
@requires(Permission.SEE_AUDIT_LOG)
def export() -> Response:
    """All entries that fit the filters, in the same order, sent while they are read."""
    lines = csv_lines.of(COLUMNS, _rows(_asked()))
    answer = Response(stream_with_context(lines), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="audit-log-{now():%Y-%m-%d}.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _rows(asked: Asked) -> Iterator[tuple[str, ...]]:
    before_id, is_more = None, True
    while is_more:
        entries = queries.entries_of(viewer(), asked, before_id=before_id, limit=ROWS_AT_ONCE)
        rows = [_row(tell(entry)) for entry in entries]
        is_more = len(entries) == ROWS_AT_ONCE
        before_id = entries[-1].id if entries else None
        db.session.rollback()  # a slow reader must not hold a transaction open
        yield from rows


def _row(told: Told) -> tuple[str, ...]:
    entry = told.entry
    return (
        f"{entry.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        told.who,
        entry.action.value,
        f"{told.who} {told.did}",
        entry.subject,
        "; ".join(f"{label}: {value}" for label, value in told.details),
    )


def _asked() -> Asked:
    since, last = _day("from"), _day("to")
    kind = KINDS.get(request.args.get("kind", ""))
    return Asked(
        who=_who(request.args.get("who", "")),
        actions=actions_of(kind) if kind else (),
        since=_midnight(since) if since else None,
        until=_midnight(last + timedelta(days=1)) if last else None,
        subject=search_text(request.args.get("q", "")),
    )


def _who(asked: str) -> int | Outsider | None:
    if asked in list(Outsider):
        return Outsider(asked)
    return row_id(asked)


def _day(name: str) -> date | None:
    try:
        day = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return day if 2000 <= day.year < 3000 else None


def _midnight(day: date) -> datetime:
    """When the day begins where the reader lives."""
    return datetime.combine(day, time.min, ZoneInfo(viewer().time_zone))
