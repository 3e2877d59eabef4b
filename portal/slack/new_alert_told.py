"""Who is told in Slack that an alert was opened there? The channel, or only whoever opened it.

product.md section 4: the channel where anybody may; else the creator alone, as its source may be
hidden from others.
"""

from flask import current_app

from portal.db import db
from portal.domain.alerts.models import Alert
from portal.domain.escalation import queries as escalation
from portal.domain.facts import AlertCreated
from portal.domain.slack_sources import queries as slack_sources
from portal.slack import replies
from portal.slack.clicks import Way
from portal.slack.messages import new_alert as messages
from portal.slack.new_alert import CHANNEL, KEY
from portal.slack.windows import SlackModal


def tell_creator(fact: AlertCreated) -> None:
    """In the alert's own transaction: have one line said of it, where its modal was opened."""
    alert = db.session.get_one(Alert, fact.alert_id)
    key = alert.creation_key or ""
    modal = db.session.get(SlackModal, int(key[len(KEY) :])) if key.startswith(KEY) else None
    if modal is None:
        return
    url = f"{current_app.config['PUBLIC_URL']}/alerts/{alert.id}"
    message = messages.told(modal.slack_user_id, alert.summary, url, _asked(alert, modal))
    replies.say(
        message["text"],
        blocks=message["blocks"],
        way=Way.PUBLIC if modal.kind == CHANNEL else Way.NEW,
        account_id=modal.account_id,
        slack_user_id=modal.slack_user_id,
        channel_id=modal.channel_id,
        response_url=modal.response_url,
    )


def _asked(alert: Alert, modal: SlackModal) -> str:
    """The policy that it climbs, under the name that it has in the channel."""
    climb = escalation.escalation_of(alert)
    if climb is None:
        return ""
    here = slack_sources.of_channel(alert.account_id, modal.channel_id)
    offered = {offer.policy_id: offer.name for offer in here.offers} if here else {}
    name = offered.get(climb.policy_id or 0) if modal.kind == CHANNEL else None
    return name or climb.policy_name
