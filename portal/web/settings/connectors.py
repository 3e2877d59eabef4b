"""Is Slack all right, and how does an admin link, re-authorize or unlink the workspace?"""

import json
from typing import Any

from flask import Blueprint, Response, current_app, flash, jsonify, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as WerkzeugResponse

from portal import diagnosis
from portal.db import db
from portal.domain.accounts import queries as accounts
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.routing import queries as routing
from portal.errors import PortalError
from portal.slack import (
    app_check,
    errors,
    installations,
    link_health,
    linking,
    manifest,
    oauth,
    revocations,
    scopes,
)
from portal.web.access import public, requires, sign_in_row, viewer
from portal.web.render import fragment, page

bp = Blueprint("connectors", __name__)


@bp.get("/settings/connectors")
@requires(Permission.SEE_CONNECTORS)
def index() -> Response:
    """One built-in row (product.md 2.1)."""
    installation = installations.of_account(viewer().account_id)
    return page("settings/connectors/index.html", installation=installation, **_asked(viewer()))


@bp.get("/settings/connectors/slack")
@requires(Permission.SEE_CONNECTORS)
def slack() -> Response:
    """The same facts for everybody, the buttons for admins (product.md 2.3)."""
    account_id = viewer().account_id or 0
    installation = installations.of_account(account_id)
    reason = installation.reason if installation else None
    channels = link_health.by_channel(account_id)
    return page(
        "settings/connectors/slack.html",
        installation=installation,
        not_ready=app_check.missing_settings(),
        manifest_text=json.dumps(_manifest(), indent=2),
        public_url=current_app.config["PUBLIC_URL"],
        findings=None,
        scopes={**scopes.REQUIRED, **scopes.OPTIONAL},
        reason=errors.words(reason) if reason else None,
        unconfirmed=revocations.unconfirmed(account_id),
        consequences=linking.unlink_consequences(account_id),
        actions=routing.actions_of(viewer()),
        channels=channels,
        deliveries=link_health.in_all(channels),
        asked_to_wait=link_health.asked_to_wait(account_id),
        can_see_actions=viewer().can(Permission.SEE_ALERT_SOURCES),
        can_manage_actions=viewer().can(Permission.MANAGE_ALERT_ACTIONS),
        **_asked(viewer()),
    )


@bp.post("/settings/connectors/slack/authorize")
@requires(Permission.MANAGE_CONNECTORS)
def authorize() -> WerkzeugResponse:
    """Send the admin to Slack; also re-authorizes."""
    # The address that Slack knows from the manifest, whatever name this request came by.
    callback_url = f"{current_app.config['PUBLIC_URL']}{url_for('.callback')}"
    return redirect(oauth.start(by=viewer(), sign_in=sign_in_row(), callback_url=callback_url), 303)


@bp.get("/settings/connectors/slack/callback")
@public  # somebody who was signed out meanwhile gets the words of product.md 2.5, no sign-in page
def callback() -> WerkzeugResponse:
    """Slack's redirect. Every refusal is a page in words; nothing is stored then."""
    if not current_user.is_authenticated:
        return _not_linked(PortalError(oauth.NOT_VALID), is_linked=False)
    is_linked = installations.of_account(viewer().account_id) is not None
    try:
        installation = linking.finish(request.args, by=viewer(), sign_in=sign_in_row())
    except PortalError as refusal:
        db.session.rollback()
        return _not_linked(refusal, is_linked=is_linked)
    flash(_success(installation.team_name, is_linked=is_linked), "success")
    return redirect(url_for(".slack"), 303)


def _not_linked(refusal: PortalError, *, is_linked: bool) -> Response:
    answer = page(
        "settings/connectors/not_linked.html",
        status=refusal.status,
        words=str(refusal),
        is_linked=is_linked,
        installed=refusal if isinstance(refusal, linking.StaysInstalled) else None,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _success(team_name: str, *, is_linked: bool) -> str:
    if is_linked:
        return f"Slack workspace {team_name} is linked again. Everything that was set up is kept."
    if routing.actions_of(viewer()):
        return f"Slack workspace {team_name} is linked."
    return (
        f"Slack workspace {team_name} is linked. Next, create an alert action: it says which alerts"
        " appear in which channel."
    )


@bp.post("/settings/connectors/slack/unlink")
@requires(Permission.MANAGE_CONNECTORS)
def unlink() -> WerkzeugResponse:
    linking.unlink(by=viewer())
    flash("The Slack workspace is unlinked. Slack is being told to remove the bot.", "success")
    return redirect(url_for(".slack"), 303)


@bp.get("/settings/connectors/slack/manifest.json")
@requires(Permission.MANAGE_CONNECTORS)
def slack_manifest() -> Response:
    """The Slack app manifest of this installation, for "From a manifest" at Slack."""
    return jsonify(_manifest())


@bp.post("/settings/connectors/slack/check")
@requires(Permission.MANAGE_CONNECTORS)
def check() -> Response:
    """Say what is still wrong; `tocsin doctor` says the same."""
    return fragment("settings/connectors/_check.html", findings=list(diagnosis.examine()))


def _manifest() -> dict[str, Any]:
    return manifest.build(current_app.config["PUBLIC_URL"])


def _asked(person: User) -> dict[str, Any]:
    """May they act, and whom can they ask otherwise?"""
    can_manage = person.can(Permission.MANAGE_CONNECTORS)
    admins = [] if can_manage else accounts.admins_of(person.account_id or 0)
    return {"can_manage": can_manage, "admins": admins}
