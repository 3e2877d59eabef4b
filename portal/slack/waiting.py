"""Which alerts does Slack not show as they are now, where, and since when?

An alert waits in a place while its own message is behind, and while a summary that is to name it has
not been shown yet. Whatever a summary names already does not wait, although it may get a message of
its own later.
"""

from collections.abc import Collection

from sqlalchemy import Subquery, case, func, select, union_all

from portal.domain.alerts.models import Alert
from portal.slack.posted import PostedMessage, Summary

# A message that was never shown waits since it was wanted; one that is behind, at least since the
# last change of its alert.
CHANGED_AT = func.greatest(Alert.last_event_at, Alert.acknowledged_at, Alert.resolved_at)
SINCE = case((PostedMessage.shown_at.is_(None), PostedMessage.created_at), else_=CHANGED_AT)
COLUMNS = (
    PostedMessage.account_id,
    PostedMessage.channel_id,
    PostedMessage.channel_name,
    PostedMessage.alert_id,
    SINCE.label("since"),
)


def places(account_ids: Collection[int]) -> Subquery:
    """A row for each alert and place: account_id, channel_id, channel_name, alert_id, since,
    attempts. Two queries in one, because each has an index of its own."""
    of_accounts = PostedMessage.account_id.in_(account_ids)
    is_behind = (Summary.shown_version < Summary.wanted_version) & Summary.gave_up_at.is_(None)
    is_named = Summary.shown_version >= PostedMessage.summary_version
    by_itself = (
        select(*COLUMNS, PostedMessage.attempts)
        .join(PostedMessage.alert)
        .outerjoin(PostedMessage.summary)
        .where(of_accounts, PostedMessage.waits)
        .where(PostedMessage.ts.is_not(None) | func.coalesce(~is_named, True))
    )
    in_a_summary = (
        select(*COLUMNS, Summary.attempts)
        .select_from(Summary)
        .join(PostedMessage, PostedMessage.summary_id == Summary.id)
        .join(PostedMessage.alert)
        .where(Summary.account_id.in_(account_ids), is_behind)
        .where(~PostedMessage.is_own, ~is_named)
    )
    return union_all(by_itself, in_a_summary).subquery()
