"""What links a workspace to an account, and what ends the link? Each function is one transaction."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import joinedload

from portal.db import db, now
from portal.domain.accounts import queries
from portal.domain.accounts.models import SignIn, User
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts import timeline
from portal.domain.alerts.models import TimelineKind, Via
from portal.domain.audit import log
from portal.domain.audit.actions import AuditAction
from portal.domain.dedicated_channels import progress
from portal.domain.dedicated_channels.models import ChannelState, DedicatedChannel
from portal.domain.facts import WorkspaceLinked, WorkspaceUnlinked, announce
from portal.domain.routing.models import AlertAction
from portal.domain.slack_sources import operations as slack_sources
from portal.domain.slack_sources.models import SlackSourceChannel
from portal.errors import Conflict, Denied, Invalid, PortalError
from portal.slack import erasing, gateway, installations, link_state, oauth, rotation
from portal.slack.errors import SlackError
from portal.slack.installations import Revocation, SlackInstallation
from portal.slack.people import UserLink
from portal.slack.posted import BEHIND, PostedMessage

CANCELLED = "You cancelled at Slack. Nothing was changed."
UNREACHABLE = "Slack could not be reached. Nothing was changed; try again in a minute."
DEADLOCK = "40P01"  # https://www.postgresql.org/docs/current/errcodes-appendix.html
DEADLOCKS_SURVIVED = 3
MISMATCH = ("bad_redirect_uri", "bad_client_secret", "invalid_client_id")
UNREACHABLE_CODES = ("unreachable", "ratelimited", "invalid_response", "timeout", "not_json")


class StaysInstalled(Conflict):
    """Refused, but Slack has the app in `place` now: the token is discarded and not revoked."""

    def __init__(self, message: str, place: str, *, is_organization: bool = False) -> None:
        super().__init__(message)
        self.place, self.is_organization = place, is_organization


def finish(args: Mapping[str, str], *, by: User, sign_in: SignIn) -> SlackInstallation:
    """Complete an authorization from the callback's query. Raises PortalError in words.

    On every failure nothing is stored and an existing link goes on working (product.md 2.5).
    """
    state = args.get("state", "")
    oauth.consume(state, by=by, sign_in=sign_in)
    if not by.can(Permission.MANAGE_CONNECTORS):
        names = " or ".join(admin.name for admin in queries.admins_of(by.account_id or 0))
        raise Denied(f"Only admins can link Slack. Ask {names}.")
    if "error" in args:
        denied = args["error"] == "access_denied"
        raise Conflict(CANCELLED if denied else _not_confirmed(args["error"]))
    if "code" not in args:
        raise Invalid(oauth.NOT_VALID)
    try:
        answer = oauth.exchange(state)
        identity = _identity(answer)
    except (oauth.ExchangeRefused, SlackError) as problem:
        raise Conflict(_not_confirmed(problem.code)) from None
    return _store(answer, identity, by)


def unlink(*, by: User) -> None:
    """End the link at once here, and have the token revoked at Slack. Safe to call twice.

    It touches every row of the account that deliveries lock, in many orders. Where PostgreSQL ends
    it because of that, nothing has happened yet, and it begins anew.
    """
    for _ in range(DEADLOCKS_SURVIVED):
        try:
            return _unlink(by)
        except OperationalError as problem:
            db.session.rollback()
            if getattr(problem.orig, "sqlstate", None) != DEADLOCK:
                raise
    return _unlink(by)


def _unlink(by: User) -> None:
    by.require(Permission.MANAGE_CONNECTORS)
    wanted = select(SlackInstallation).where(SlackInstallation.account_id == by.account_id)
    installation = db.session.scalar(wanted.with_for_update())
    if installation is None:
        raise Conflict("This account is not linked to a Slack workspace.")
    account_id = installation.account_id
    revocation = Revocation(
        account_id=account_id,
        team_id=installation.team_id,
        bot_token=installation.bot_token,
        refresh_token=installation.refresh_token,
    )
    db.session.add(revocation)
    log.record(
        AuditAction.WORKSPACE_UNLINKED,
        account_id=account_id,
        by=by,
        subject=f"workspace {installation.team_name}",
        **unlink_consequences(account_id),
    )
    _cancel_deliveries(account_id, by)
    progress.forget_all(account_id, by=by)
    db.session.execute(delete(AlertAction).where(AlertAction.account_id == account_id))
    slack_sources.clear_channels(account_id)
    erasing.erase(account_id)
    announce(WorkspaceUnlinked(account_id, revocation.id))
    db.session.commit()


def _cancel_deliveries(account_id: int, by: User) -> None:
    """Say on the timeline of each alert that still waited for Slack that it waits no longer."""
    waiting = select(PostedMessage).where(PostedMessage.account_id == account_id, BEHIND)
    for posted in db.session.scalars(waiting.options(joinedload(PostedMessage.alert))):
        timeline.record(
            posted.alert,
            TimelineKind.SLACK_FAILED,
            by=by,
            via=Via.WEB,
            channel=posted.channel_name,
            reason="unlinked",
        )


def unlink_consequences(account_id: int) -> dict[str, int]:
    """What unlinking will delete, counted: alert actions, channels, links, waiting deliveries."""

    def count(table: Any, *conditions: Any) -> int:
        counted = select(func.count()).select_from(table).where(table.account_id == account_id)
        return int(db.session.execute(counted.where(*conditions)).scalar_one())

    return {
        "alert_actions": count(AlertAction),
        "slack_source_channels": count(SlackSourceChannel),
        "user_links": count(UserLink),
        "dedicated_channels": count(
            DedicatedChannel, DedicatedChannel.state == ChannelState.ATTACHED
        ),
        "waiting_deliveries": count(PostedMessage, BEHIND),
    }


def _not_confirmed(code: str) -> str:
    if code in UNREACHABLE_CODES or code.startswith("http_"):
        return UNREACHABLE
    if code in MISMATCH:
        return (
            f"The Slack app and this installation do not match ({code[:40]})."
            " The operator can run “tocsin doctor”."
        )
    shown = code[:40] if code.replace("_", "").isalnum() else "no reason given"
    return f"Slack did not confirm the authorization ({shown}). Nothing was changed; try again."


def _identity(answer: dict[str, Any]) -> dict[str, Any]:
    """Who the new token is (auth.test): the answer of the exchange has neither bot_id nor URL."""
    if answer.get("is_enterprise_install") or not answer.get("team"):
        raise StaysInstalled(
            "Organisation-wide installations are not supported. Install into one workspace.",
            str((answer.get("enterprise") or {}).get("name") or "your organisation"),
            is_organization=True,
        )
    if not answer.get("access_token") or not answer.get("bot_user_id"):
        raise SlackError("no_bot_token")
    return gateway.call(str(answer["access_token"]), "auth.test")


def _store(answer: dict[str, Any], identity: dict[str, Any], by: User) -> SlackInstallation:
    team_id, team_name = str(answer["team"]["id"]), str(answer["team"].get("name") or "")
    wanted = select(SlackInstallation).where(SlackInstallation.account_id == by.account_id)
    installation = db.session.scalar(wanted.with_for_update())
    is_new = installation is None
    if installation is None:
        installation = SlackInstallation(account_id=by.account_id, team_id=team_id)
        erasing.sweep(by.account_id)  # or an alert of the last link would turn up in this one
    elif installation.team_id != team_id:
        raise _another_workspace(team_id, team_name, installation.team_name)
    _fill(installation, answer, identity, by)
    try:
        with db.session.begin_nested():
            db.session.add(installation)
    except IntegrityError:
        db.session.rollback()
        if is_new and installations.of_account(by.account_id) is not None:
            return _store(answer, identity, by)  # another admin of the account was first
        raise _taken(team_name) from None
    # A revocation that still waits for this workspace would kill the new link.
    db.session.execute(delete(Revocation).where(Revocation.team_id == team_id))
    log.record(
        AuditAction.WORKSPACE_LINKED if is_new else AuditAction.WORKSPACE_REAUTHORIZED,
        account_id=by.account_id,
        by=by,
        subject=f"workspace {team_name}",
        team_id=team_id,
    )
    announce(WorkspaceLinked(installation.account_id))
    db.session.commit()
    return installation


def _another_workspace(team_id: str, chosen: str, linked: str) -> PortalError:
    words = (
        f"You chose {chosen}, but this account is linked to {linked}. Choose {linked}, or unlink it"
        " first."
    )
    if installations.of_team(team_id) is not None:  # of another account, which needs the app there
        return Conflict(words)
    return StaysInstalled(words, chosen)


def _taken(team_name: str) -> PortalError:
    return Conflict(
        f"{team_name} is already linked to another account. It has to be unlinked there first."
    )


def _fill(
    installation: SlackInstallation, answer: dict[str, Any], identity: dict[str, Any], by: User
) -> None:
    installation.team_name = str(answer["team"].get("name") or identity.get("team") or "")
    installation.team_url = str(identity.get("url") or "")
    installation.enterprise_id = (answer.get("enterprise") or {}).get("id")
    installation.app_id = str(answer.get("app_id") or "")
    installation.bot_user_id = str(answer["bot_user_id"])
    installation.bot_id = str(identity.get("bot_id") or "")
    installation.bot_token = str(answer["access_token"])
    installation.refresh_token = str(answer.get("refresh_token") or "") or None
    installation.token_expires_at = rotation.expires_at(answer)
    installation.refresh_not_before, installation.refresh_failures = None, 0
    installation.installed_at = now()
    installation.installed_by_id = by.id
    granted = [scope for scope in str(answer.get("scope") or "").split(",") if scope]
    link_state.settle(installation, granted, by=by)
