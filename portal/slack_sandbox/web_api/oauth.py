"""What does the app get for a code? oauth.v2.access."""

from typing import Any

from .. import installations
from ..state import Code
from .auth import check_client
from .call import Call, SlackError


def access(call: Call) -> dict[str, Any]:
    """Exchange a grant for a token (Slack method reference: oauth.v2.access)."""
    check_client(call)
    grant = GRANTS.get(call.text("grant_type") or "authorization_code")
    if grant is None:
        raise SlackError("invalid_grant_type")
    return grant(call)


def _by_code(call: Call) -> dict[str, Any]:
    code = call.world.codes.get(call.text("code"))
    if code is None or code.is_used or call.platform.clock.now() >= code.expires_at:
        raise SlackError("invalid_code")
    if (code.redirect_uri_sent or call.has("redirect_uri")) and (
        call.text("redirect_uri") != code.redirect_uri
    ):
        raise SlackError("bad_redirect_uri")
    code.is_used = True
    return _answer(call, code)


def _answer(call: Call, code: Code) -> dict[str, Any]:
    made, token = installations.install(
        call.platform, code.team_id, code.enterprise_id, code.user, code.scopes
    )
    workspace = call.world.workspaces.get(made.team_id)
    enterprise_name = next(
        (w.enterprise_name for w in call.world.workspaces.values() if w.enterprise_id), ""
    )
    enterprise = {"id": made.enterprise_id, "name": enterprise_name}
    return {
        "access_token": token.token,
        "token_type": "bot",
        "scope": ",".join(made.scopes),
        "bot_user_id": made.bot_user_id,
        "app_id": call.platform.app.app_id,
        "team": {"id": workspace.id, "name": workspace.name} if workspace else None,
        "enterprise": enterprise if made.enterprise_id else None,
        "is_enterprise_install": made.is_enterprise_install,
        "authed_user": {"id": code.user},
    }


# Token rotation adds "refresh_token" here.
GRANTS = {"authorization_code": _by_code}
