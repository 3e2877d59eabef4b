"""What can be counted? Each number is one query, so that every process shows the same numbers.

Nothing is counted in memory: with several processes each would show its own part.
"""

from collections.abc import Iterator
from typing import NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.registry import Collector
from sqlalchemy import text

from portal.db import db

__all__ = ["CONTENT_TYPE", "render"]


class Gauge(NamedTuple):
    """`query` gives one row per value: the labels in their order, then the number."""

    name: str
    meaning: str
    query: str
    labels: tuple[str, ...] = ()


GAUGES = (
    Gauge(
        "tocsin_events_received_last_5_minutes",
        "Events received in the last five minutes, by what became of them",
        "SELECT outcome, count(*) FROM received_events"
        " WHERE received_at > now() - interval '5 minutes' GROUP BY outcome",
        ("outcome",),
    ),
    Gauge(
        "tocsin_events_refused_last_5_minutes",
        "Events over the limit of their alert source in the last five minutes",
        "SELECT coalesce(sum(refused), 0) FROM rate_counters"
        " WHERE key LIKE 'events:%' AND window_start > now() - interval '5 minutes'",
    ),
    Gauge(
        "tocsin_alerts_open",
        "Alerts that are not resolved, by status",
        "SELECT status, count(*) FROM alerts WHERE status <> 'resolved' GROUP BY status",
        ("status",),
    ),
    Gauge(
        "tocsin_escalations_pending",
        "Alerts whose escalation timer is running",
        "SELECT count(*) FROM alert_escalations WHERE next_step_at IS NOT NULL",
    ),
    Gauge(
        "tocsin_escalations_oldest_overdue_seconds",
        "How long the step that waits longest has been due; more than 2 means that no worker keeps up",
        "SELECT coalesce(extract(epoch FROM now() - min(next_step_at)), 0) FROM alert_escalations"
        " WHERE next_step_at <= now()",
    ),
    Gauge(
        "tocsin_deliveries_waiting",
        "Messages that Slack does not show yet",
        "SELECT count(*) FROM posted_messages"
        " WHERE shown_version < wanted_version AND gave_up_at IS NULL",
    ),
    Gauge(
        "tocsin_deliveries_oldest_seconds",
        "Age of the oldest message that has never been shown in Slack",
        "SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0) FROM posted_messages"
        " WHERE shown_version = 0 AND gave_up_at IS NULL",
    ),
    Gauge(
        "tocsin_deliveries_given_up",
        "Messages that Slack refuses for good",
        "SELECT count(*) FROM posted_messages WHERE gave_up_at IS NOT NULL",
    ),
    Gauge(
        "tocsin_jobs_waiting",
        "Jobs that are due and not done",
        "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
        " AND (scheduled_at IS NULL OR scheduled_at <= now())",
    ),
    Gauge(
        "tocsin_workers",
        "Workers that reported in the last 30 seconds",
        "SELECT count(*) FROM procrastinate_workers"
        " WHERE last_heartbeat > now() - interval '30 seconds'",
    ),
)


class FromDatabase(Collector):
    def collect(self) -> Iterator[GaugeMetricFamily]:
        for gauge in GAUGES:
            family = GaugeMetricFamily(gauge.name, gauge.meaning, labels=gauge.labels)
            for *labels, value in db.session.execute(text(gauge.query)):
                family.add_metric([str(label) for label in labels], float(value))
            yield family


def render() -> bytes:
    """All gauges in Prometheus' text format. Raises SQLAlchemyError when the database is away."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(FromDatabase())
    return generate_latest(registry)
