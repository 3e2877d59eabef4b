"""Where do alerts come from?"""

from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, now
from portal.domain.accounts.models import Account

POLICY = "fk_alert_sources_escalation_policy"


class AlertSource(Base):
    """A monitoring tool, or a part of one, that sends events with an integration key of its own."""

    __tablename__ = "alert_sources"
    __table_args__ = (
        UniqueConstraint("account_id", "name"),
        # Both columns, so that no source can ever use another account's policy.
        ForeignKeyConstraint(
            ["account_id", "escalation_policy_id"],
            ["escalation_policies.account_id", "escalation_policies.id"],
            name=POLICY,
        ),
        Index("ix_alert_sources_escalation_policy_id", "escalation_policy_id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    name: Mapped[str]
    type: Mapped[str]  # a key of TYPES
    escalation_policy_id: Mapped[int | None]  # who is asked about its alerts; none: nobody
    integration_key_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    key_created_at: Mapped[datetime] = mapped_column(default=now)
    disabled_at: Mapped[datetime | None]  # a disabled source opens no alert

    account: Mapped[Account] = relationship()


TYPES: dict[str, str] = {
    "api": "API",
    "slack": "Slack",
    "prometheus": "Prometheus Alertmanager",
    "grafana": "Grafana",
    "zabbix": "Zabbix",
    "checkmk": "Checkmk",
    "nagios": "Nagios",
    "datadog": "Datadog",
    "cloudwatch": "Amazon CloudWatch",
}
