"""What does the app's Home show somebody, and what follows from what they press there?

Published when it is opened (Slack tells of each opening), and after a press in it. Not whenever one
of a person's alerts changes: their direct messages follow those, and a Home that nobody looks at
would cost a call for each change.
"""

from datetime import datetime, timedelta
from typing import Any

import structlog
from flask import current_app
from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts import queries as alerts
from portal.domain.escalation import outlook
from portal.domain.escalation import queries as escalation
from portal.domain.oncall import queries as shifts
from portal.jobs.engine import job, wake
from portal.slack import (
    actions,
    askers,
    connects,
    installations,
    modals,
    new_alert,
    oncall,
    people,
    workspace,
)
from portal.slack.askers import Asker
from portal.slack.errors import Meaning, SlackError
from portal.slack.messages import home as view
from portal.slack.messages.home import MyShift, Overview, Policy, Shown
from portal.slack.messages.oncall import CHOOSE
from portal.slack.payloads import BlockAction

AHEAD, LONGEST_SHIFT = timedelta(days=28), timedelta(days=60)
LOOKED_AT = timedelta(minutes=10)  # nobody waits for a Home longer than that

log = structlog.get_logger()


class HomeTab(Base):
    """A Slack user's Home, since they opened it: what they looked up there."""

    __tablename__ = "slack_home_tabs"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    slack_user_id: Mapped[str] = mapped_column(primary_key=True)
    chosen: Mapped[str] = mapped_column(default="")  # as in "policy:7"
    opened_at: Mapped[datetime] = mapped_column(default=now)


def opened(account_id: int, slack_user_id: str) -> None:
    """Somebody looks at their Home: begin anew. Within the caller's transaction."""
    _want(account_id, slack_user_id, chosen="")


def press(click: BlockAction) -> None:
    """Carry out a press in the Home, and have it follow. One transaction."""
    installation = installations.of_team(click.team_id)
    if installation is None or click.action_id == connects.CONNECT:
        return
    account_id = installation.account_id
    if click.action_id == view.CREATE:
        modals.ask(
            new_alert.TEAM,
            new_alert.subject(account_id, "", ""),
            account_id=account_id,
            slack_user_id=click.user_id,
            channel_id="",
            trigger_id=click.trigger_id,
            response_url="",
        )
        db.session.commit()
        return
    if click.action_id == CHOOSE:
        _want(account_id, click.user_id, chosen=click.value[:40])
        db.session.commit()
        return
    actions.press(click)
    wake(publish, account_id=account_id, slack_user_id=click.user_id)
    db.session.commit()


@job("home:{account_id}:{slack_user_id}", queue="urgent")
def publish(account_id: int, slack_user_id: str) -> None:
    """Show the Home as things are now. Nothing is sent while the link is broken."""
    installation = installations.of_account(account_id)
    if installation is None or not installation.is_working:
        return
    credentials = installation.credentials
    try:
        if not Asker.find(installation, slack_user_id, "").is_known:
            askers.ask_slack(account_id, slack_user_id)
        shown = _view(account_id, slack_user_id)
        db.session.commit()
        if shown is not None:
            workspace.call(credentials, "views.publish", user_id=slack_user_id, view=shown)
    except SlackError as problem:
        log.warning("home_not_published", slack_error=problem.code)
        _try_again(account_id, slack_user_id, problem)


def _want(account_id: int, slack_user_id: str, chosen: str) -> None:
    said = {"chosen": chosen, "opened_at": now()}
    row = insert(HomeTab).values(account_id=account_id, slack_user_id=slack_user_id, **said)
    key = ["account_id", "slack_user_id"]
    db.session.execute(row.on_conflict_do_update(index_elements=key, set_=said))
    wake(publish, account_id=account_id, slack_user_id=slack_user_id)


def _try_again(account_id: int, slack_user_id: str, problem: SlackError) -> None:
    """Shortly; later they open it again by themselves."""
    tab = db.session.get(HomeTab, (account_id, slack_user_id))
    is_passing = problem.meaning in (Meaning.TEMPORARY, Meaning.ASKED_TO_WAIT)
    if tab is not None and is_passing and now() - tab.opened_at < LOOKED_AT:
        at = now() + timedelta(seconds=problem.retry_after or 3)
        wake(publish, at=at, account_id=account_id, slack_user_id=slack_user_id)
    db.session.commit()


def _view(account_id: int, slack_user_id: str) -> dict[str, Any] | None:
    installation = installations.of_account(account_id)
    if installation is None:
        return None
    asker = Asker.find(installation, slack_user_id, "", has_been_asked=True)
    person = asker.person
    if person is None:
        offered = connects.offer_to_stranger(account_id, slack_user_id)
        url = connects.address(offered) if offered is not None else None
        offer = connects.blocks(view.HOW_TO_CONNECT, url) if url else []
        return view.connect(installation.team_name, offer)
    url = current_app.config["PUBLIC_URL"]
    if not person.can(Permission.SEE_ALERTS):
        return view.without_alerts(person.name, url)
    tab = db.session.get(HomeTab, (account_id, slack_user_id))
    chosen = oncall.chosen(asker, person, tab.chosen) if tab is not None and tab.chosen else {}
    return view.overview(_overview(person, url, chosen.get("blocks") or []))


def _overview(person: User, url: str, answer: list[dict[str, Any]]) -> Overview:
    moment = now()
    mine = escalation.open_alerts_of(person)
    all_open = sum(alerts.open_counts(person).values())
    policies = escalation.policies_of(person)
    listed = policies[: view.MOST_POLICIES]
    levels = outlook.levels_of({policy.id: policy.plan for policy in listed}, moment)
    named = {
        turn.person.id
        for of_policy in levels.values()
        for level in of_policy
        for turn in level.turns
        if turn.person
    }
    return Overview(
        portal_url=url,
        at=moment,
        alerts=[Shown(a, f"{url}/alerts/{a.id}") for a in mine[: view.MOST_ALERTS]],
        more_alerts=max(0, len(mine) - view.MOST_ALERTS),
        others_open=all_open - len(mine),
        shifts=_shifts(person, url, moment),
        policies=[
            Policy(each.name, f"{url}/escalation-policies/{each.id}", levels[each.id])
            for each in listed
        ],
        more_policies=len(policies) - len(listed),
        slack_ids=people.slack_ids(named),
        answer=answer,
    )


def _shifts(person: User, url: str, moment: datetime) -> list[MyShift]:
    found = shifts.shifts_of(person, moment, moment + AHEAD + LONGEST_SHIFT)
    coming = [each for each in found if each[1].starts_at < moment + AHEAD]
    return [
        MyShift(
            schedule.name,
            f"{url}/schedules/{schedule.id}",
            shift.starts_at,
            shift.ends_at,
            is_now=shift.starts_at <= moment,
        )
        for schedule, shift in coming[: view.MOST_SHIFTS]
    ]
