"""Does a large history slow anything down? 100,000 open and 1,000,000 resolved alerts."""

import statistics
import time

import requests

from tests.benchmarks import figures
from tests.benchmarks.clicks import acknowledge
from tests.benchmarks.lab import Lab

OPEN, RESOLVED = 100_000, 1_000_000
FILL = """
WITH filled AS (
    INSERT INTO alerts (account_id, source_id, summary, details, priority, links, images, labels,
        status, event_count, created_at, last_event_at, resolved_at)
    SELECT source.account_id, source.id, 'old ' || n, '', 'high', '[]', '[]', '{}',
        CASE WHEN n <= %s THEN 'pending' ELSE 'resolved' END, 1, now() - interval '30 days',
        now() - interval '30 days', CASE WHEN n <= %s THEN NULL ELSE now() END
    FROM generate_series(1, %s) AS n, (SELECT * FROM alert_sources LIMIT 1) AS source
    RETURNING id, account_id)
INSERT INTO posted_messages (account_id, alert_id, channel_id, channel_name, created_at,
    wanted_version, shown_version, attempts, is_own, form, was_reposted, ts, shown_at)
SELECT account_id, id, %s, 'old', now(), 1, 1, 0, true, 'full', false, id::text, now() FROM filled
"""


def run(lab: Lab) -> None:
    (channel,) = lab.channels(1)
    key = lab.source(channel)
    empty = _measured(lab, key, "empty")
    lab.sql(FILL, OPEN, OPEN, OPEN + RESOLVED, channel)
    lab.sql("ANALYZE")
    full = _measured(lab, key, "full")
    for what, seconds in empty.items():
        figures.say(
            f"{what}: {1000 * seconds:.1f} ms empty, {1000 * full[what]:.1f} ms full,"
            f" {full[what] / seconds:.2f} ×",
            "1.3 ×",
        )


def _measured(lab: Lab, key: str, name: str) -> dict[str, float]:
    browser, slack = lab.sign_in(), requests.Session()
    sent, listed, clicked = [], [], []
    for number in range(40):
        begun = time.monotonic()
        lab.send(key, f"{name} {number}")
        sent.append(time.monotonic() - begun)
        time.sleep(0.5)
        begun = time.monotonic()
        browser.get(f"{lab.portal}/alerts?status=all", timeout=20).raise_for_status()
        listed.append(time.monotonic() - begun)
        time.sleep(0.6)
    rows = lab.sql(
        "SELECT a.id, extract(epoch FROM p.shown_at - p.created_at)::float8 FROM posted_messages AS p"
        " JOIN alerts AS a ON a.id = p.alert_id WHERE a.summary LIKE %s AND p.shown_at IS NOT NULL",
        f"{name} %",
    )
    for alert_id, _ in rows:
        clicked.append(acknowledge(lab, slack, alert_id))
        time.sleep(0.1)
    waits = {
        "ingest": sent,
        "event → Slack": [seconds for _, seconds in rows],
        "list of alerts": listed,
        "click": clicked,
    }
    return {what: statistics.median(seconds) for what, seconds in waits.items()}
