"""How does an operation write down what it did?"""

from collections.abc import Mapping

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.audit.actions import AuditAction
from portal.domain.audit.models import AuditEntry

COMMAND_LINE = "the command line"
SLACK = "Slack"


def record(
    action: AuditAction,
    *,
    account_id: int | None,
    by: User | str,
    subject: str,
    **details: str | int | bool | None,
) -> None:
    """Add an entry to the running transaction. `by` is a person, COMMAND_LINE or SLACK.

    Never give it a secret: admins read and export what is written here.
    """
    db.session.add(
        AuditEntry(
            action=action,
            account_id=account_id,
            actor_id=by.id if isinstance(by, User) else None,
            actor_name=by.name if isinstance(by, User) else by,
            subject=subject,
            details=details,
        )
    )


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """Details for an entry: the old value of what changed, as `name_before`; empty if nothing did."""
    return {f"{what}_before": was for what, was in before.items() if was != after[what]}
