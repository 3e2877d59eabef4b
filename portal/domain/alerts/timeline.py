"""How does an operation write down what happened to an alert?"""

from typing import Any

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.alerts.models import Alert, TimelineEntry, TimelineKind, Via
from portal.domain.facts import TimelineGrew, announce
from portal.domain.sources.models import AlertSource


def record(
    alert: Alert,
    kind: TimelineKind,
    *,
    by: User | AlertSource | str,
    via: Via | None = None,
    **data: Any,
) -> TimelineEntry:
    """Add an entry to the running transaction. `by` is a person, a source, or a name."""
    entry = TimelineEntry(
        alert_id=alert.id,
        kind=kind,
        actor_id=by.id if isinstance(by, User) else None,
        actor_name=by if isinstance(by, str) else by.name,
        via=via,
        data=data,
    )
    db.session.add(entry)
    announce(TimelineGrew(entry))
    return entry
