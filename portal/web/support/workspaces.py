"""Which workspaces are linked, over all accounts? For support staff, to look and not to touch."""

from flask import Blueprint, Response
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.audit import log
from portal.domain.audit.actions import AuditAction
from portal.slack.installations import SlackInstallation
from portal.web.access import requires, viewer
from portal.web.render import page

bp = Blueprint("workspaces", __name__)


@bp.get("/support/workspaces")
@requires(Permission.SEE_ALL_WORKSPACES)
def index() -> Response:
    _note_the_look(viewer())
    return page("support/workspaces.html", installations=_linked())


def _note_the_look(by: User) -> None:
    """Write it to the audit log of each account that is looked at, before anything is shown."""
    for installation in _linked():
        log.record(
            AuditAction.WORKSPACE_VIEWED_BY_SUPPORT,
            account_id=installation.account_id,
            by=by,
            subject=f"workspace {installation.team_name}",
            team_id=installation.team_id,
        )
    db.session.commit()


def _linked() -> list[SlackInstallation]:
    parts = joinedload(SlackInstallation.account), joinedload(SlackInstallation.installed_by)
    wanted = select(SlackInstallation).options(*parts).order_by(SlackInstallation.id)
    return list(db.session.scalars(wanted))
