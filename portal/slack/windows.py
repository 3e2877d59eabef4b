"""What is a modal of ours, from the click that asks for it to its submission? One row, one kind."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Identity, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, db, now
from portal.domain.accounts.models import User
from portal.slack.askers import Asker
from portal.slack.refusals import NOT_CONNECTED
from portal.slack.tokens import EncryptedStr

View = dict[str, Any]  # of Slack's, as portal/slack/messages/modal.py makes it
Values = Mapping[str, str]  # what was filled in, by block_id; unset fields are empty
SAID = "said"  # in a subject: a sentence on top of the modal, about what was pressed last


class SlackModal(Base):
    """A modal that somebody asked for. Shown from this row alone, so that a job may come late or twice.

    `token` travels through the person's client as private_metadata; it opens nothing by itself, since
    account and Slack user are compared as well.
    """

    __tablename__ = "slack_modals"
    # Slack delivers the same click again; a trigger opens one modal.
    __table_args__ = (UniqueConstraint("account_id", "trigger_id"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    token: Mapped[str] = mapped_column(unique=True, default=lambda: secrets.token_urlsafe(24))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    slack_user_id: Mapped[str]
    channel_id: Mapped[str]  # where it was asked for; empty: from a global shortcut
    response_url: Mapped[str | None] = mapped_column(EncryptedStr)
    kind: Mapped[str]  # its callback_id
    subject: Mapped[dict[str, Any]] = mapped_column(JSONB)  # what it is about: {"alert_id": 7}
    trigger_id: Mapped[str]
    view_id: Mapped[str | None]  # none: Slack has not opened it yet
    is_behind: Mapped[bool] = mapped_column(default=True)  # Slack does not show it as it is here
    created_at: Mapped[datetime] = mapped_column(default=now)
    submitted_at: Mapped[datetime | None]  # carried out: the same submission again does nothing


@dataclass(frozen=True)
class Window:
    """A modal in front of somebody: who that is, and what it is about."""

    asker: Asker
    subject: dict[str, Any]
    modal_id: int = 0  # of its row, which is locked while it is submitted
    values: Values = field(default_factory=dict)  # filled in so far, when something is pressed
    asked_at: datetime = field(default_factory=now)

    @property
    def person(self) -> User:
        """Whoever has it open; only kinds with `needs_person` may ask."""
        if self.asker.person is None:
            raise RuntimeError("a modal for people of the account was shown to somebody else")
        return self.asker.person


@dataclass(frozen=True)
class Next:
    """What a modal becomes after a press in it: the same or another kind, about this."""

    kind: str
    subject: dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """How one kind of modal looks, and what follows from what is done in it.

    Each function may raise a PortalError: its sentence is shown, and nothing is changed.
    """

    view: Callable[[Window], View]  # as it is now; called when it opens and after each press in it
    # Carries it out, in one operation. Nothing returned: the modal closes; else that is shown.
    submit: Callable[[Window, Values], View | None] | None = None
    # action_id → what a press with this value leads to; None: shown anew as it is.
    actions: Mapping[str, Callable[[Window, str], Next | None]] = field(default_factory=dict)
    errors_at: str = ""  # block_id of the input where a refusal stands that names no field
    needs_person: bool = True  # False: also for people without an account, if `view` lets them
    without_person: str = NOT_CONNECTED  # what they are told where it needs one


def subject_of(token: str, account_id: int | None, slack_user_id: str) -> dict[str, Any]:
    """What the modal is about that has this token; empty for whatever is not this person's."""
    wanted = select(SlackModal.subject).where(
        SlackModal.token == token,
        SlackModal.account_id == account_id,
        SlackModal.slack_user_id == slack_user_id,
    )
    return db.session.scalar(wanted) or {}
