"""How does a modal open, follow what is done in it, and take what was submitted? One table of kinds.

https://docs.slack.dev/surfaces/modals. A click stores that a modal is wanted, and an urgent job opens
it while its trigger lives (three seconds): no call to Slack is made within a request of Slack.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.db import db, now
from portal.errors import Invalid, PortalError
from portal.jobs.engine import job, wake
from portal.slack import (
    askers,
    connects,
    installations,
    new_alert,
    replies,
    respond,
    summary_list,
    workspace,
)
from portal.slack.askers import Asker
from portal.slack.errors import Meaning, SlackError
from portal.slack.installations import Credentials, SlackInstallation
from portal.slack.messages.modal import notice
from portal.slack.payloads import BlockAction, OpenView
from portal.slack.refusals import (
    NOT_CONNECTED,
    NOT_LINKED,
    SLACK_AWAY,
    TOO_LATE,
    TOO_OLD,
    only_members,
)
from portal.slack.windows import SAID, Kind, Next, SlackModal, Values, View, Window

MODALS: dict[str, Kind] = {**respond.MODALS, **summary_list.MODALS, **new_alert.MODALS}

CLOSE_ALL = {"response_action": "clear"}
NOTHING_CHANGED = "Nothing was changed"
FOLLOWED = timedelta(minutes=10)  # a modal that Slack did not let us change

log = structlog.get_logger()


def ask(
    kind: str,
    subject: dict[str, Any],
    *,
    account_id: int,
    slack_user_id: str,
    channel_id: str,
    trigger_id: str,
    response_url: str,
) -> None:
    """Have a modal opened once this transaction has committed; once, however often Slack delivers
    the click. The caller commits. What it is about (`subject`) must be JSON."""
    wanted = insert(SlackModal).values(
        kind=kind,
        subject=subject,
        account_id=account_id,
        slack_user_id=slack_user_id,
        channel_id=channel_id,
        trigger_id=trigger_id,
        response_url=response_url or None,
        is_behind=True,
    )
    once = wanted.on_conflict_do_nothing(index_elements=["account_id", "trigger_id"])
    modal_id = db.session.scalar(once.returning(SlackModal.id))
    if modal_id is not None:
        wake(show, modal_id=modal_id)


@job("modal:{modal_id}", queue="urgent")
def show(modal_id: int) -> None:
    """Have Slack show the modal as it is now. Somebody whom we do not know is asked about first."""
    modal = db.session.get(SlackModal, modal_id)
    installation = installations.of_account(modal.account_id) if modal else None
    if modal is None or installation is None or not modal.is_behind:
        return
    credentials, view_id, trigger_id = installation.credentials, modal.view_id, modal.trigger_id
    try:
        asker = _identified(modal, installation)
        view = _view(modal, asker)
    except SlackError as problem:
        _tell(modal_id, NOT_CONNECTED if problem.meaning is Meaning.PERSON else SLACK_AWAY)
        return
    except PortalError as refused:
        if view_id is None and modal.channel_id:
            offered = connects.offer_to_stranger(modal.account_id, modal.slack_user_id)
            _tell(modal_id, str(refused), connect_id=offered)
            return
        view = _as_ours(notice(NOTHING_CHANGED, str(refused)), modal)
    modal.is_behind = False  # before Slack is told: a press meanwhile is not forgotten
    db.session.commit()
    if view_id is None:
        _open(credentials, modal_id, trigger_id, view)
    else:
        _update(credentials, modal_id, view_id, view)


def submit(view: OpenView) -> View:
    """Carry out a submission; Slack's response_action. Twice, late or out of order: once.

    That it was carried out is stored in the operation's own transaction.
    """
    installation = installations.of_team(view.team_id)
    if installation is None:
        return refusal(view, NOT_LINKED)
    if view.user_team_id not in (installation.team_id, installation.enterprise_id):
        return refusal(view, only_members(installation.team_name))
    modal = _locked(view, installation)
    kind = MODALS.get(modal.kind) if modal else None
    if modal is None or kind is None or kind.submit is None or modal.kind != view.callback_id:
        return refusal(view, TOO_OLD)
    if modal.submitted_at is not None:
        return CLOSE_ALL
    asker = Asker.find(installation, modal.slack_user_id, modal.channel_id)
    if asker.person is None and kind.needs_person:
        return refusal(view, kind.without_person)
    modal.submitted_at = now()
    window = _window(modal, asker, view.values)
    try:
        following = kind.submit(window, view.values)
    except PortalError as refused:
        db.session.rollback()
        return refusal(view, str(refused), refused.field if isinstance(refused, Invalid) else None)
    answer = (
        {"response_action": "update", "view": _as_ours(following, modal)} if following else None
    )
    db.session.commit()
    return answer or CLOSE_ALL


def act(click: BlockAction) -> None:
    """Carry out a press inside a modal; a job shows what became of it."""
    installation = installations.of_team(click.team_id)
    if installation is None or click.view is None:
        return
    modal = _locked(click.view, installation)
    kind = MODALS.get(modal.kind) if modal else None
    run = kind.actions.get(click.action_id) if kind else None
    if modal is None or kind is None or run is None or modal.submitted_at is not None:
        db.session.rollback()
        return
    asker = Asker.find(installation, modal.slack_user_id, modal.channel_id)
    modal_id, subject = modal.id, {k: v for k, v in modal.subject.items() if k != SAID}
    following = Next(modal.kind, subject)
    window = replace(_window(modal, asker, click.view.values), subject=dict(subject))
    if asker.person is not None or not kind.needs_person:  # else `show` says so
        try:
            following = run(window, click.value) or following
        except PortalError as refused:
            db.session.rollback()
            following = Next(following.kind, subject | {SAID: f"⚠️ {refused}"})
    _become(modal_id, following, click.view.view_id)


def close(view: OpenView) -> None:
    """Forget a modal that was closed, unless it was carried out: that must not happen again."""
    installation = installations.of_team(view.team_id)
    modal = _locked(view, installation) if installation else None
    if modal is not None and modal.submitted_at is None:
        db.session.delete(modal)
    db.session.commit()


def refusal(view: OpenView, text: str, field: str | None = None) -> View:
    """At the field where there is one, so that nothing typed is lost; else instead of the modal."""
    db.session.rollback()
    kind = MODALS.get(view.callback_id)
    for block_id in (field, kind.errors_at if kind else None):
        if block_id in view.values:
            return {"response_action": "errors", "errors": {block_id: text}}
    return {"response_action": "update", "view": notice(NOTHING_CHANGED, text)}


def _become(modal_id: int, following: Next, view_id: str) -> None:
    modal = db.session.get(SlackModal, modal_id, with_for_update=True, populate_existing=True)
    if modal is not None:
        modal.kind, modal.subject = following.kind, following.subject
        modal.view_id, modal.is_behind = view_id, True
        wake(show, modal_id=modal_id)
    db.session.commit()


def _locked(view: OpenView, installation: SlackInstallation) -> SlackModal | None:
    """The modal, if it is this person's. Whatever else a client may send is nobody's."""
    wanted = select(SlackModal).where(
        SlackModal.token == view.token,
        SlackModal.account_id == installation.account_id,
        SlackModal.slack_user_id == view.user_id,
    )
    return db.session.scalar(wanted.with_for_update().execution_options(populate_existing=True))


def _identified(modal: SlackModal, installation: SlackInstallation) -> Asker:
    """Who has it in front of them. Raises SlackError where Slack has to be asked and cannot say."""
    asker = Asker.find(installation, modal.slack_user_id, modal.channel_id)
    needs_person = modal.kind not in MODALS or MODALS[modal.kind].needs_person
    if asker.person is not None or (asker.is_known and not needs_person):
        return asker
    askers.ask_slack(installation.account_id, modal.slack_user_id)
    return Asker.find(installation, modal.slack_user_id, modal.channel_id, has_been_asked=True)


def _view(modal: SlackModal, asker: Asker) -> View:
    kind = MODALS.get(modal.kind)
    if kind is None:
        raise Invalid(TOO_OLD)
    if asker.person is None and kind.needs_person:
        raise Invalid(kind.without_person)
    return _as_ours(kind.view(_window(modal, asker, {})), modal)


def _window(modal: SlackModal, asker: Asker, values: Values) -> Window:
    return Window(asker, dict(modal.subject), modal.id, values, modal.created_at)


def _as_ours(view: View, modal: SlackModal) -> View:
    ours = {"callback_id": modal.kind, "private_metadata": modal.token, "notify_on_close": True}
    return {**view, **ours}


def _open(credentials: Credentials, modal_id: int, trigger_id: str, view: View) -> None:
    try:
        answer = workspace.call(credentials, "views.open", trigger_id=trigger_id, view=view)
    except SlackError as problem:
        log.warning("modal_not_opened", modal_id=modal_id, slack_error=problem.code)
        if problem.code != "exchanged_trigger_id":  # else it was opened, before a crash of ours
            _tell(modal_id, TOO_LATE)
        return
    modal = db.session.get(SlackModal, modal_id)
    if modal is not None:
        modal.view_id = str((answer.get("view") or {}).get("id") or "") or None
    db.session.commit()


def _update(credentials: Credentials, modal_id: int, view_id: str, view: View) -> None:
    try:
        workspace.call(credentials, "views.update", view_id=view_id, view=view)
    except SlackError as problem:
        log.warning("modal_not_updated", modal_id=modal_id, slack_error=problem.code)
        modal = db.session.get(SlackModal, modal_id)
        is_passing = problem.meaning in (Meaning.TEMPORARY, Meaning.ASKED_TO_WAIT)
        if modal is not None and is_passing and now() - modal.created_at < FOLLOWED:
            modal.is_behind = True
            wait = timedelta(seconds=problem.retry_after or 2)
            wake(show, at=now() + wait, modal_id=modal_id)
        db.session.commit()


def _tell(modal_id: int, text: str, connect_id: int | None = None) -> None:
    """There will be no modal: say why in the channel, to whoever asked for it."""
    modal = db.session.get(SlackModal, modal_id)
    if modal is not None:
        modal.is_behind = False
        replies.say(
            text,
            account_id=modal.account_id,
            slack_user_id=modal.slack_user_id,
            channel_id=modal.channel_id,
            response_url=modal.response_url,
            connect_id=connect_id,
        )
    db.session.commit()
