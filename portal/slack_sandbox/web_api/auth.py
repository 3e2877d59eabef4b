"""Whose token is this, and how does it end? auth.test, auth.revoke, apps.uninstall, api.test."""

from typing import Any

from .. import installations
from .call import Call, SlackError


def api_test(call: Call) -> dict[str, Any]:
    """Echo the arguments, and the error that is asked for."""
    if error := call.text("error"):
        raise SlackError(error, args=call.arguments)
    return {"args": call.arguments} if call.arguments else {}


def auth_test(call: Call) -> dict[str, Any]:
    own = call.installation
    workspace = call.world.workspaces.get(own.team_id)
    bot = call.world.people[own.bot_user_id]
    url = f"{call.platform.url}/w/{workspace.id}/" if workspace else f"{call.platform.url}/"
    enterprise = {"enterprise_id": own.enterprise_id} if own.enterprise_id else {}
    return {
        "url": url,
        "team": workspace.name if workspace else "",
        "team_id": own.team_id or own.enterprise_id,
        "user": bot.name,
        "user_id": bot.id,
        "bot_id": own.bot_id,
        "is_enterprise_install": own.is_enterprise_install,
        "app_id": call.platform.app.app_id,
        **enterprise,
        **_remaining(call),
    }


def _remaining(call: Call) -> dict[str, Any]:
    if call.token is None or not call.token.expires_at:
        return {}
    return {"expires_in": int(call.token.expires_at - call.platform.clock.now())}


def auth_revoke(call: Call) -> dict[str, Any]:
    """The bot token dies, the bot leaves all channels, the app appears uninstalled.

    Where tokens rotate only this one dies (Slack docs: Using token rotation).
    """
    if call.flag("test"):
        return {"revoked": False}
    if call.token is not None and call.token.expires_at:
        call.token.error = "token_revoked"
        return {"revoked": True}
    installations.end(call.platform, call.installation, "token_revoked")
    return {"revoked": True}


def apps_uninstall(call: Call) -> dict[str, Any]:
    """All tokens of the installation die. `no_permission` when the switch says so."""
    check_client(call)
    if not call.world.switches.uninstall_permitted:
        raise SlackError("no_permission")
    installations.end(call.platform, call.installation, "account_inactive")
    return {"uninstalled": True}


def check_client(call: Call) -> None:
    """Refuse wrong client credentials; HTTP Basic goes before body fields."""
    given = call.basic or (call.text("client_id"), call.text("client_secret"))
    if given[0] != call.platform.app.client_id:
        raise SlackError("invalid_client_id")
    if given[1] != call.platform.app.client_secret:
        raise SlackError("bad_client_secret")
