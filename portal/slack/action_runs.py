"""How does a manual alert action reach Slack? product.md 3.2"""

from sqlalchemy.dialects.postgresql import insert

from portal.db import db
from portal.domain.alerts.models import Alert
from portal.domain.facts import AlertActionRun
from portal.domain.routing import matching
from portal.domain.routing.models import ActionRun
from portal.slack import channel_health, run_outcomes
from portal.slack.posted import PostedMessage


def post(fact: AlertActionRun) -> None:
    """The alert should be shown in the action's channels; where it is already, that is the success.

    What was given up, or waits for its next try, is tried at once.
    """
    run = db.session.get_one(ActionRun, fact.run_id)
    alert = db.session.get_one(Alert, run.alert_id)
    channels = matching.channels_of([run.action])
    # Lanes first, messages after them: whoever delivers locks them in this order as well.
    for channel_id in sorted(channels):
        channel_health.try_now(alert.account_id, channel_id)
    rows = [
        {
            "account_id": alert.account_id,
            "alert_id": alert.id,
            "channel_id": channel_id,
            "channel_name": name,
            "run_id": run.id,
        }
        for channel_id, name in sorted(channels.items())
    ]
    put = insert(PostedMessage)
    again = put.on_conflict_do_update(
        index_elements=["alert_id", "channel_id"], set_={"run_id": run.id, "gave_up_at": None}
    )
    db.session.execute(again, rows)
    run_outcomes.went([run.id])
