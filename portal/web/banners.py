"""What must somebody know on whatever page they are? A broken link, and what they are told once."""

from typing import Any

from flask import Blueprint, Flask, Response
from flask_login import current_user

from portal.domain.accounts.permissions import Permission
from portal.domain.notices import operations as notices
from portal.domain.notices import queries
from portal.slack import errors, installations
from portal.web.access import requires, viewer
from portal.web.render import fragment

bp = Blueprint("banners", __name__)


def init_app(app: Flask) -> None:
    """Every page shows them: layout.html."""
    app.context_processor(lambda: {"banners": banners})


def banners() -> dict[str, Any]:
    """The unread notices of the person, and the link if it is broken and they can mend it."""
    if not current_user.is_authenticated:
        return {"notices": [], "broken": None, "reason": ""}
    unread = queries.unread_by(viewer())
    broken = None
    if viewer().can(Permission.MANAGE_CONNECTORS):
        installation = installations.of_account(viewer().account_id)
        is_told = any(notice.about == "slack_link" for notice in unread)
        if installation is not None and not installation.is_working and not is_told:
            broken = installation
    reason = errors.words(broken.reason or "") if broken else ""
    return {"notices": unread, "broken": broken, "reason": reason}


@bp.get("/banners")
@requires(Permission.OWN_PROFILE)
def show() -> Response:
    return fragment("_banners.html")


@bp.post("/notices/<int:notice_id>/dismiss")
@requires(Permission.OWN_PROFILE)
def dismiss(notice_id: int) -> Response:
    notices.dismiss(notice_id, by=viewer())
    return fragment("_banners.html")
