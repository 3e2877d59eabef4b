"""Who is told when the link breaks, and until when?"""

from collections.abc import Iterable

from portal.domain.accounts import queries
from portal.domain.facts import WorkspaceBroken, WorkspaceLinked, WorkspaceUnlinked
from portal.domain.notices import operations as notices
from portal.jobs.engine import Wake
from portal.slack import installations
from portal.slack.errors import words

ABOUT = "slack_link"
PATH = "/settings/connectors/slack"


def tell_admins(fact: WorkspaceBroken) -> Iterable[Wake]:
    """One notice for each admin; the banner stays beside it until the link works again."""
    installation = installations.of_account(fact.account_id)
    if installation is not None:
        text = (
            f"Nothing is sent to {installation.team_name} any more."
            f" {words(installation.state_reason or '')} Everything is kept: re-authorize, and what"
            " waits is sent."
        )
        admins = queries.admins_of(fact.account_id)
        notices.tell(admins, about=ABOUT, text=text, path=PATH)
    return ()


def say_no_more(fact: WorkspaceLinked | WorkspaceUnlinked) -> Iterable[Wake]:
    notices.withdraw(fact.account_id, about=ABOUT)
    return ()
