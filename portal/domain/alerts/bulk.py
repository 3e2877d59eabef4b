"""What becomes of one verb for many alerts? Each is checked by itself, in its own transaction."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.alerts import operations, queries
from portal.domain.alerts.models import Alert, AlertStatus, Via
from portal.errors import Conflict, PortalError

Deed = Callable[[int, User], Alert]


class Bulk(StrEnum):
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


class Fate(StrEnum):
    DONE = "done"
    ALREADY = "already"  # it was so before, or somebody was faster
    REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    """What became of one alert; `why` is a sentence where nothing was changed."""

    alert_id: int
    fate: Fate
    why: str = ""


CONCERNED = {
    Bulk.ACKNOWLEDGE: (AlertStatus.PENDING,),
    Bulk.RESOLVE: (AlertStatus.PENDING, AlertStatus.ACKNOWLEDGED),
}


def each(
    alert_ids: Iterable[int], verb: Bulk, *, by_id: int, via: Via, comment: str = ""
) -> list[Outcome]:
    """Acknowledge or resolve these alerts; `comment` is put on each that is resolved.

    The person is looked at again for every alert, since they may lose the right meanwhile. Raises
    Invalid for a comment that is too long, before anything is changed.
    """
    if comment.strip():
        operations.check_comment(comment)

    def deed(alert_id: int, by: User) -> Alert:
        if verb is Bulk.ACKNOWLEDGE:
            return operations.acknowledge(alert_id, by=by, via=via)
        return operations.resolve(alert_id, by=by, via=via, comment=comment)

    return [_one(alert_id, deed, CONCERNED[verb], by_id) for alert_id in alert_ids]


def _one(alert_id: int, deed: Deed, concerned: tuple[AlertStatus, ...], by_id: int) -> Outcome:
    by = db.session.get_one(User, by_id)
    alert = db.session.scalar(queries.visible_to(by).where(Alert.id == alert_id))
    if alert is not None and alert.status not in concerned:
        why = f"It was {alert.status} before."
        db.session.rollback()
        return Outcome(alert_id, Fate.ALREADY, why)
    try:
        deed(alert_id, by)
    except PortalError as refusal:
        db.session.rollback()
        fate = Fate.ALREADY if isinstance(refusal, Conflict) else Fate.REFUSED
        return Outcome(alert_id, fate, str(refusal))
    return Outcome(alert_id, Fate.DONE)
