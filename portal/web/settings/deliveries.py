"""What waits for Slack, and why? The account's admins see all channels at a glance."""

from typing import Any

from flask import Blueprint, Response

from portal.domain.accounts.permissions import Permission
from portal.slack import deliveries
from portal.web.access import requires, viewer
from portal.web.render import fragment, page, wants_fragment

bp = Blueprint("deliveries", __name__, url_prefix="/settings/deliveries")


@bp.get("")
@requires(Permission.MANAGE_CONNECTORS)
def index() -> Response:
    """The whole page, or the part of it that follows the truth by itself."""
    account_id = viewer().account_id
    assert account_id is not None  # noqa: S101 - admins have an account
    context: dict[str, Any] = {
        "overview": deliveries.overview(account_id),
        "alerts": deliveries.waiting_alerts(viewer()),
    }
    if wants_fragment():
        return fragment("settings/deliveries/_overview.html", **context)
    return page("settings/deliveries/index.html", **context)
