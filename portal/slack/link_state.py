"""What moves a link from one state to another? Every piece of news ends in one of these functions.

product.md 2.2. Slack's transient errors never get here: they change no state.
"""

from collections.abc import Iterable

from sqlalchemy import select

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.audit import log
from portal.domain.audit.actions import AuditAction
from portal.domain.facts import WorkspaceBroken, announce
from portal.slack import gateway, scopes
from portal.slack.errors import Meaning, SlackError
from portal.slack.installations import Credentials, LinkState, SlackInstallation


def newest(credentials: Credentials) -> Credentials:
    """The credentials that the link has now. Raises SlackError where nothing may be sent."""
    wanted = select(SlackInstallation).where(SlackInstallation.account_id == credentials.account_id)
    found = db.session.scalar(wanted.execution_options(populate_existing=True))
    problem = "not_linked" if found is None else None if found.is_working else "link_broken"
    present = found.credentials if found is not None else credentials
    db.session.commit()
    if problem:
        raise SlackError(problem)
    return present


def settle(installation: SlackInstallation, granted: Iterable[str], *, by: User | None) -> None:
    """Linked or limited, as the scopes say. Within the caller's transaction; leaves `broken` too.

    The audit log hears of every scope that goes or comes, also where the state stays the same.
    """
    before = installation.state, set(scopes.ALL) - set(installation.scopes or ())
    installation.scopes = sorted(granted)
    missing = set(installation.missing_scopes)
    state = LinkState.LIMITED if missing else LinkState.LINKED
    installation.state_reason = "missing_scope" if missing else None
    if installation.state is not state:
        installation.state, installation.state_since = state, now()
        installation.state_by_id = by.id if by else None
    if before != (state, missing) and (missing or by is None):
        log.record(
            AuditAction.WORKSPACE_LIMITED if missing else AuditAction.WORKSPACE_COMPLETE,
            account_id=installation.account_id,
            by=by or log.SLACK,
            subject=f"workspace {installation.team_name}",
            missing=", ".join(sorted(missing)) or None,
        )


def note_scopes(credentials: Credentials, granted: Iterable[str]) -> None:
    """What Slack says the token may do now. A transaction of its own, and only if it is news."""
    found = frozenset(granted)
    if not found or found == credentials.scopes:
        return
    installation = _of(credentials)
    if installation is not None and installation.is_working:
        settle(installation, found, by=None)
    db.session.commit()


def is_dead(credentials: Credentials, code: str) -> bool:
    """Whether auth.test confirms that the token is dead; if so, the link is broken from now on.

    One answer alone breaks no link: a proxy, or a bug at Slack, may have given it.
    """
    try:
        gateway.call(credentials.token, "auth.test")
    except SlackError as problem:
        if problem.meaning is not Meaning.LINK_DEAD:
            return False
    else:
        return False
    installation = _of(credentials)
    if installation is not None:
        break_off(installation, code)
    db.session.commit()
    return installation is not None


def break_off(installation: SlackInstallation, code: str) -> None:
    """Nothing is sent from now on, everything is kept. Within the caller's transaction."""
    if installation.state is LinkState.BROKEN:
        return
    installation.state, installation.state_reason = LinkState.BROKEN, code
    installation.state_since, installation.state_by_id = now(), None
    log.record(
        AuditAction.WORKSPACE_BROKEN,
        account_id=installation.account_id,
        by=log.SLACK,
        subject=f"workspace {installation.team_name}",
        reason=code,
    )
    announce(WorkspaceBroken(installation.account_id))


def _of(credentials: Credentials) -> SlackInstallation | None:
    """The link's row, locked, unless another token has taken the place of this one."""
    wanted = select(SlackInstallation).where(SlackInstallation.account_id == credentials.account_id)
    locked = wanted.with_for_update().execution_options(populate_existing=True)
    found = db.session.scalar(locked)
    return found if found is not None and found.bot_token == credentials.token else None
