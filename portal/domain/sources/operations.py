"""What changes alert sources? Each function is one transaction."""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.db import db, now
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Permission
from portal.domain.accounts.secrets import new_token, token_hash
from portal.domain.audit import log
from portal.domain.audit.actions import AuditAction
from portal.domain.slack_sources.models import SlackSourceChannel
from portal.domain.sources import queries
from portal.domain.sources.models import POLICY, TYPES, AlertSource
from portal.errors import Conflict, Invalid, NotFound

LONGEST_NAME = 80


def create(
    *,
    account: Account,
    name: str,
    type: str,
    escalation_policy_id: int | None = None,
    by: User | None,
) -> tuple[AlertSource, str]:
    """Create a source and return it with its integration key, which is never shown again.

    `by` is None on the command line. Raises Invalid for bad input, Conflict when the name is taken.
    """
    if by is not None:
        by.require(Permission.MANAGE_ALERT_SOURCES)
        if by.account_id != account.id:
            raise NotFound("There is no such account.")
    key = new_token()
    source = AlertSource(
        account_id=account.id,
        name=_name(name),
        type=_type(type),
        escalation_policy_id=escalation_policy_id,
        integration_key_hash=token_hash(key),
    )
    try:
        with db.session.begin_nested():
            db.session.add(source)
    except IntegrityError as problem:
        raise _refusal(problem, source.name) from problem
    _audit(AuditAction.SOURCE_CREATED, source, by or log.COMMAND_LINE, type=source.type)
    db.session.commit()
    return source, key


def change(
    source_id: int, *, name: str, type: str, escalation_policy_id: int | None, by: User
) -> AlertSource:
    """Rename a source, correct its type, or choose who is asked about its next alerts.

    Its key and its alerts stay.
    """
    source = _locked(source_id, by)
    before, new_name = _described(source), _name(name)
    if _type(type) != source.type:
        _refuse_while_in_slack(source)
    source.name, source.type = new_name, _type(type)
    source.escalation_policy_id = escalation_policy_id
    try:
        with db.session.begin_nested():
            db.session.flush()
    except IntegrityError as problem:
        raise _refusal(problem, new_name) from problem
    changed = log.changes(before, _described(source))
    if changed:
        _audit(AuditAction.SOURCE_CHANGED, source, by, **_described(source), **changed)
    db.session.commit()
    return source


def rotate_integration_key(source_id: int, *, by: User) -> tuple[AlertSource, str]:
    """Replace the key and return the new one. The old one ends at once."""
    source = _locked(source_id, by)
    key = new_token()
    source.integration_key_hash, source.key_created_at = token_hash(key), now()
    _audit(AuditAction.INTEGRATION_KEY_ROTATED, source, by)
    db.session.commit()
    return source, key


def disable(source_id: int, *, by: User) -> AlertSource:
    """Open no further alert from this source. Events are still answered and noted."""
    source = _locked(source_id, by)
    if source.disabled_at is None:
        source.disabled_at = now()
        _audit(AuditAction.SOURCE_DISABLED, source, by)
    db.session.commit()
    return source


def enable(source_id: int, *, by: User) -> AlertSource:
    """Let the source open alerts again."""
    source = _locked(source_id, by)
    if source.disabled_at is not None:
        source.disabled_at = None
        _audit(AuditAction.SOURCE_ENABLED, source, by)
    db.session.commit()
    return source


def _refuse_while_in_slack(source: AlertSource) -> None:
    """Its channels would go on letting people in, with nothing left on its page that says so."""
    in_use = select(SlackSourceChannel).where(SlackSourceChannel.source_id == source.id)
    if db.session.scalar(in_use.limit(1)) is not None:
        raise Invalid(
            "Slack channels use this source. Remove them under its Slack settings first.",
            field="type",
        )


def _locked(source_id: int, by: User) -> AlertSource:
    by.require(Permission.MANAGE_ALERT_SOURCES)
    wanted = queries.visible_to(by).where(AlertSource.id == source_id).with_for_update()
    source = db.session.scalar(wanted.execution_options(populate_existing=True))
    if source is None:
        raise NotFound("There is no such alert source in your account.")
    return source


def _refusal(problem: IntegrityError, name: str) -> Conflict | Invalid:
    diagnosis = getattr(problem.orig, "diag", None)
    if getattr(diagnosis, "constraint_name", None) == POLICY:
        return Invalid(
            "This escalation policy is not there any more. Please choose another.",
            field="escalation_policy_id",
        )
    return Conflict(f"There is already an alert source named “{name}”.")


def _described(source: AlertSource) -> dict[str, str]:
    policy = source.escalation_policy_id
    return {
        "name": source.name,
        "type": source.type,
        "escalation_policy_id": "none" if policy is None else f"number {policy}",
    }


def _audit(action: AuditAction, source: AlertSource, by: User | str, **details: str) -> None:
    log.record(
        action, account_id=source.account_id, by=by, subject=f"source {source.name}", **details
    )


def _name(raw: str) -> str:
    name = " ".join(raw.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise Invalid(f"Please give a name of 1 to {LONGEST_NAME} characters.", field="name")
    return name


def _type(raw: str) -> str:
    if raw not in TYPES:
        raise Invalid(f"Please choose one of: {', '.join(TYPES)}.", field="type")
    return raw
