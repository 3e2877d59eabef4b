"""How late do 10,000 escalations fire that fall due within a minute, on one worker?

Each asks the policy's second level, who is told by a direct message.
"""

from sqlalchemy import select

from portal.db import db
from portal.domain.accounts.models import User
from tests.benchmarks import figures
from tests.benchmarks.lab import Lab
from tests.make import make_alert, make_policy, make_source, make_user

ALERTS, SECONDS = 10_000, 60
# The others as copies of the first, because opening them is not what is measured.
COPIES = (
    "INSERT INTO alerts (account_id, source_id, summary, details, priority, links, images, labels,"
    " status, event_count, created_at, last_event_at)"
    " SELECT account_id, source_id, summary, details, priority, links, images, labels, status,"
    " event_count, created_at, last_event_at FROM alerts, generate_series(2, %s)",
    "INSERT INTO alert_escalations (alert_id, policy_id, policy_name, rules, repeats, level, lap,"
    " has_asked, next_step_at) SELECT alerts.id, policy_id, policy_name, rules, repeats, level,"
    " lap, has_asked, next_step_at FROM alerts, alert_escalations AS first"
    " WHERE alerts.id <> first.alert_id",
)
DUE = (
    "UPDATE alert_escalations SET next_step_at ="
    " now() + interval '5 seconds' + random() * make_interval(secs => %s)"
    " RETURNING alert_id, extract(epoch FROM next_step_at)::float8"
)
FIRED = (
    "SELECT alert_id, extract(epoch FROM max(at))::float8 FROM timeline_entries"
    " WHERE kind = 'escalated' AND data->>'level' = '2' GROUP BY alert_id"
)


def run(lab: Lab) -> None:
    with lab.app.app_context():
        olivia = db.session.scalars(select(User)).one()
        account = olivia.account
        source, _ = make_source(account)
        make_policy(account, [make_user(account)], [olivia], source=source)
        make_alert(source)
    lab.sql(COPIES[0], ALERTS)
    lab.sql(COPIES[1])
    lab.sql("ANALYZE")
    due = dict(lab.sql(DUE, SECONDS))
    lab.until(lambda: len(lab.sql(FIRED)) == ALERTS, "all have fired", SECONDS + 120)
    late = [at - due[alert_id] for alert_id, at in lab.sql(FIRED)]
    figures.times(f"{ALERTS} escalations over {SECONDS} s, late by", late, "max ≤ 2,000 ms")
    ((twice,),) = lab.sql(
        "SELECT count(*) FROM (SELECT FROM timeline_entries WHERE kind = 'escalated'"
        " AND data->>'level' = '2' GROUP BY alert_id HAVING count(*) > 1) AS doubled"
    )
    figures.say(f"fired twice: {twice}", "0")
