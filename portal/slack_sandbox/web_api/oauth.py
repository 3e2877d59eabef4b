"""What does the app get for a code or an older token? oauth.v2.access, oauth.v2.exchange."""

from typing import Any

from .. import installations, rotation
from ..state import Installation, Token
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
    made, token = installations.install(
        call.platform, code.team_id, code.enterprise_id, code.user, code.scopes
    )
    return {**_answer(call, made, token), "authed_user": {"id": code.user}}


def _by_refresh_token(call: Call) -> dict[str, Any]:
    """A new pair; the old access token stays good until it expires."""
    renewed = rotation.renew(call.platform, call.text("refresh_token"))
    if renewed is None:
        raise SlackError("invalid_refresh_token")
    return _answer(call, *renewed)


def exchange(call: Call) -> dict[str, Any]:
    """A long-lived token becomes a pair that rotates, once (Slack docs: oauth.v2.exchange)."""
    check_client(call)
    if not rotation.is_on(call.platform):
        raise SlackError("token_rotation_not_enabled")
    given = call.token
    if given is None or rotation.error_of(call.platform, given):
        raise SlackError("invalid_token")
    if given.was_exchanged or given.expires_at:
        raise SlackError("token_already_exchanged")
    given.was_exchanged = True
    own = call.world.installations[given.installation_id]
    return _answer(call, own, rotation.mint(call.platform, own))


def _answer(call: Call, made: Installation, token: Token) -> dict[str, Any]:
    workspace = call.world.workspaces.get(made.team_id)
    enterprise_name = next(
        (w.enterprise_name for w in call.world.workspaces.values() if w.enterprise_id), ""
    )
    enterprise = {"id": made.enterprise_id, "name": enterprise_name}
    expiry = (
        {"expires_in": rotation.ACCESS_SECONDS, "refresh_token": token.refresh_token}
        if token.expires_at
        else {}
    )
    return {
        "access_token": token.token,
        "token_type": "bot",
        "scope": ",".join(made.scopes),
        "bot_user_id": made.bot_user_id,
        "app_id": call.platform.app.app_id,
        **expiry,
        "team": {"id": workspace.id, "name": workspace.name} if workspace else None,
        "enterprise": enterprise if made.enterprise_id else None,
        "is_enterprise_install": made.is_enterprise_install,
    }


GRANTS = {"authorization_code": _by_code, "refresh_token": _by_refresh_token}
