"""Who is connected to which Slack user, how, and why not? For the page of all users and for one's own."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.db import db
from portal.domain.accounts.models import User
from portal.slack import installations, profiles, unlinked
from portal.slack.people import UserLink


@dataclass(frozen=True)
class InSlack:
    """One person's side in Slack; without a link, why there is none."""

    name: str = ""  # as Slack shows it, else the id
    slack_user_id: str = ""
    is_by_hand: bool = False
    since: datetime | None = None
    why_not: str = ""

    @property
    def is_connected(self) -> bool:
        return bool(self.slack_user_id)


def of_account(viewer: User) -> dict[int, InSlack]:
    """By the person's id; empty while no workspace is linked."""
    account_id = viewer.account_id
    if account_id is None or installations.of_account(account_id) is None:
        return {}
    names = profiles.names(account_id)
    reasons = unlinked.of_account(account_id)
    links = db.session.scalars(select(UserLink).where(UserLink.account_id == account_id))
    linked = {link.user_id: _connected(link, names) for link in links}
    not_linked = {
        user_id: InSlack(why_not=unlinked.WORDS[row.why]) for user_id, row in reasons.items()
    }
    return not_linked | linked


def of_person(person: User) -> InSlack | None:
    """None while no workspace is linked."""
    if installations.of_account(person.account_id) is None:
        return None
    return of_account(person).get(person.id, InSlack(why_not=unlinked.NOT_YET))


def _connected(link: UserLink, names: dict[str, str]) -> InSlack:
    name = names.get(link.slack_user_id) or link.slack_user_id
    return InSlack(name, link.slack_user_id, link.is_by_hand, link.linked_at)
