"""What became of a manual alert action, now that Slack has answered? In the caller's transaction."""

from collections.abc import Collection, Iterable

from sqlalchemy import select

from portal.db import db
from portal.domain.alerts.models import Alert
from portal.domain.routing import runs
from portal.domain.routing.models import ActionRun
from portal.slack.posted import PostedMessage


def went(run_ids: Iterable[int | None]) -> None:
    """Slack shows messages of these runs: those that wait for no other have succeeded."""
    ids = {each for each in run_ids if each is not None}
    if not ids:
        return
    db.session.flush()
    waiting = select(PostedMessage.run_id).where(
        PostedMessage.run_id.in_(ids), PostedMessage.shown_at.is_(None)
    )
    for run, alert in _runs(ids - set(db.session.scalars(waiting))):
        runs.succeeded(run, alert)


def went_wrong(run_id: int | None, code: str) -> None:
    for run, alert in _runs([run_id] if run_id is not None else []):
        runs.failed(run, alert, code)


def _runs(ids: Collection[int]) -> list[tuple[ActionRun, Alert]]:
    if not ids:
        return []
    wanted = select(ActionRun, Alert).join(Alert, Alert.id == ActionRun.alert_id)
    rows = db.session.execute(wanted.where(ActionRun.id.in_(ids)).order_by(ActionRun.id))
    return [(run, alert) for run, alert in rows]
