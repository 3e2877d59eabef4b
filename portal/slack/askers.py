"""Who is asking, as far as we know without asking Slack?"""

from dataclasses import dataclass

from portal.db import db
from portal.domain.accounts.models import User
from portal.slack import installations, mapping, people, profiles, workspace
from portal.slack.installations import SlackInstallation
from portal.slack.profiles import Kind, SlackProfile


@dataclass(frozen=True)
class Asker:
    """A Slack user in a channel of the linked workspace."""

    installation: SlackInstallation
    slack_user_id: str
    channel_id: str
    person: User | None  # of the account, if they are mapped
    profile: SlackProfile | None  # none: Slack has not been asked yet
    has_been_asked: bool = False  # Slack, just now: nobody has to be asked again

    @classmethod
    def find(
        cls,
        installation: SlackInstallation,
        slack_user_id: str,
        channel_id: str,
        *,
        has_been_asked: bool = False,
    ) -> "Asker":
        account_id = installation.account_id
        return cls(
            installation,
            slack_user_id,
            channel_id,
            people.linked(account_id, slack_user_id),
            profiles.of(account_id, slack_user_id),
            has_been_asked,
        )

    @property
    def is_known(self) -> bool:
        """Whether Slack has told us who they are."""
        return self.person is not None or self.profile is not None

    @property
    def is_member(self) -> bool:
        """A full member of the workspace, not a guest; False while nobody knows."""
        return self.person is not None or (
            self.profile is not None and self.profile.kind is Kind.MEMBER
        )

    @property
    def is_outsider(self) -> bool:
        return self.profile is not None and self.profile.kind is Kind.OUTSIDER

    @property
    def time_zone(self) -> str:
        """An IANA name; empty where Slack has told us none."""
        return self.profile.time_zone if self.profile else ""


def ask_slack(account_id: int, slack_user_id: str) -> None:
    """Ask Slack who a user of it is, and keep the answer: what they are, and whose e-mail it is.

    Commits before it asks. Raises SlackError.
    """
    installation = installations.of_account(account_id)
    if installation is None:
        return
    credentials = installation.credentials
    db.session.commit()
    record = workspace.call(credentials, "users.info", user=slack_user_id).get("user") or {}
    installation = installations.of_account(account_id)
    if installation is not None:
        mapping.recognise(record, installation)
    db.session.commit()
