"""How is a deed kept?"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Identity
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, closed_list, now
from portal.domain.audit.actions import AuditAction


class AuditEntry(Base):
    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    actor_name: Mapped[str]  # as it was then; "the command line" and "Slack" have no row
    action: Mapped[AuditAction] = mapped_column(closed_list(AuditAction))
    subject: Mapped[str]  # what it was done to, for people: "source Prometheus"
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
