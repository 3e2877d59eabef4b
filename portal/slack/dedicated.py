"""How is an alert's own channel made, furnished and left? One job per channel, one call at a time.

The row says what is wanted and what Slack has; the job takes the next step until nothing is left.
An attempt is written down before its call. Whoever finds one that nobody finished (the process was
killed, the answer was lost) knows that Slack may have carried it out, and looks before creating
again: so there is one channel, and none that nobody knows of (product.md section 6).
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, select

from portal.db import db, now
from portal.domain.dedicated_channels import progress, queries
from portal.domain.dedicated_channels.models import ChannelState, DedicatedChannel
from portal.domain.routing import queries as routing
from portal.jobs.engine import job, wake
from portal.slack import (
    dedicated_lookback,
    dedicated_outcomes,
    dedicated_steps,
    installations,
    pacing,
    workspace,
)
from portal.slack.dedicated_steps import Step
from portal.slack.errors import SlackError
from portal.slack.installations import SlackInstallation
from portal.slack.posted import CLOCKS_AGREE, PostedMessage

MOST_STEPS = 25  # then the other channels have their turn
# How often we look whether there is a message to pin: the longer there was none, the rarer.
SOONEST_LOOK, LATEST_LOOK = timedelta(seconds=1), timedelta(minutes=5)
LONGEST_WAIT = timedelta(minutes=6)  # no back-off is longer


@job("dedicated_channel:{dedicated_channel_id}")
def carry_on(dedicated_channel_id: int) -> None:
    """Take the next steps for this channel, as far as Slack allows now."""
    step: Step | None = None
    answer: object = None
    for number in range(MOST_STEPS + 1):
        channel, moment = queries.locked(dedicated_channel_id), now()
        if channel is None:
            db.session.commit()  # unlinked meanwhile
            return
        if step is not None:
            _record(channel, step, answer, moment)
        step = None
        if number < MOST_STEPS:
            step = _next(channel, moment)
        else:
            _come_back(channel, moment)
        db.session.commit()
        if step is None:
            return
        answer = _carry_out(step)


def unfinished() -> list[tuple[int, datetime]]:
    """The channels with something to be done, and when; for the net that catches what was missed."""
    wanted = select(DedicatedChannel.id, DedicatedChannel.next_try_at).where(
        (DedicatedChannel.state == ChannelState.CREATING)
        | DedicatedChannel.step.is_not(None)
        | (DedicatedChannel.state == ChannelState.ATTACHED)
        & (DedicatedChannel.pin_outcome.is_(None) | DedicatedChannel.topic_outcome.is_(None))
        | (DedicatedChannel.state == ChannelState.DETACHED)
        & DedicatedChannel.channel_id.is_not(None)
        & DedicatedChannel.closed_at.is_(None)
        & DedicatedChannel.farewell_outcome.is_(None)
    )
    return [(each, at) for each, at in db.session.execute(wanted.order_by(DedicatedChannel.id))]


def bring_near(moment: datetime) -> None:
    """What a clock that was ahead has planned: nobody waits for longer than we or Slack ever ask for."""
    wanted = select(DedicatedChannel.id).where(
        (DedicatedChannel.next_try_at > moment + LONGEST_WAIT)
        | (DedicatedChannel.step_begun_at > moment + CLOCKS_AGREE)
    )
    for dedicated_id in list(db.session.scalars(wanted.order_by(DedicatedChannel.id))):
        channel = queries.locked(dedicated_id)
        if channel is not None and _set_right(channel, moment):
            wake(carry_on, dedicated_channel_id=dedicated_id)
        db.session.commit()


def _set_right(channel: DedicatedChannel, moment: datetime) -> bool:
    """Whether a clock that was ahead has written here. A long queue for Slack's budget is none."""
    is_begun_ahead = (channel.step_begun_at or moment) > moment + CLOCKS_AGREE
    if is_begun_ahead:
        channel.step_begun_at = moment
    is_late = channel.next_try_at > pacing.latest(channel.account_id, moment) + LONGEST_WAIT
    if is_late:
        channel.next_try_at, channel.place_for = moment, None
    return is_begun_ahead or is_late


def archive_old(moment: datetime) -> None:
    """Have the channels archived whose alerts were resolved long enough ago. The caller commits."""
    for channel in progress.due_for_archiving(moment):
        channel.archive_at = moment
        wake(carry_on, dedicated_channel_id=channel.id)


def _next(channel: DedicatedChannel, moment: datetime) -> Step | None:
    """Choose the next call and write down that we try; or come back later, or rest."""
    if channel.state in (ChannelState.CLOSED, ChannelState.DETACHED):
        _stop_showing(channel)
    installation = installations.of_account(channel.account_id)
    if not _may_speak(channel, installation, moment) or installation is None:
        return None
    credentials = installation.credentials
    if channel.next_try_at > moment:
        _come_back(channel, channel.next_try_at)
        return None
    method, arguments = dedicated_steps.following(channel, credentials)
    if not method:
        if channel.state is ChannelState.ATTACHED and channel.pin_outcome is None:
            _look_for_message_later(channel, moment)
        return None
    at = _place(channel, method, moment)
    if at > moment:
        channel.next_try_at = at
        _come_back(channel, at)
        return None
    channel.step, channel.step_begun_at, channel.place_for = method, moment, None
    # Should we die now, somebody else looks once no answer can come any more.
    _come_back(channel, moment + pacing.LEASE)
    return Step(method, credentials, moment, arguments)


def _may_speak(
    channel: DedicatedChannel, installation: SlackInstallation | None, moment: datetime
) -> bool:
    """Whether a call about this channel may be made now; what will never be made is said here."""
    if channel.step_begun_at is not None:
        if channel.step_begun_at + pacing.LEASE > moment:  # somebody is at it
            _come_back(channel, channel.step_begun_at + pacing.LEASE)
            return False
        dedicated_outcomes.interrupted(channel, moment)
    is_blank = channel.state is ChannelState.CREATING and channel.uncertain_since is None
    if installation is None:
        if is_blank:
            progress.not_created(channel, "not_linked")
        return False
    if not installation.is_working:
        return False  # a link that comes back wakes us
    if is_blank and not channel.alert.is_open:
        progress.not_created(channel, "resolved")
    elif is_blank and dedicated_steps.missing_scopes(
        installation.credentials.scopes, is_private=channel.is_private
    ):
        progress.not_created(channel, "missing_scope")
    outage = db.session.get(pacing.Outage, channel.account_id, populate_existing=True)
    if outage is not None and outage.is_quiet(moment):
        channel.next_try_at = max(channel.next_try_at, outage.next_try_at)
    return channel.state is not ChannelState.NOT_CREATED


def _place(channel: DedicatedChannel, method: str, moment: datetime) -> datetime:
    """Our place in the method's budget: taken once, kept until it is used."""
    held_until = pacing.holds(channel.account_id, moment).get(method)
    is_fresh = channel.next_try_at > moment - pacing.STALE
    if channel.place_for == method and is_fresh and held_until is None:
        return moment
    channel.place_for = method
    return pacing.take(channel.account_id, method, moment)


def _record(channel: DedicatedChannel, step: Step, answer: object, moment: datetime) -> None:
    """Write down what came of a call, unless somebody else has taken over meanwhile."""
    if (channel.step, channel.step_begun_at) != (step.method, step.begun_at):
        return
    channel.step = channel.step_begun_at = None
    if isinstance(answer, SlackError):
        dedicated_outcomes.failed(channel, step, answer, moment)
    else:
        dedicated_outcomes.succeeded(channel, step, answer, moment)


def _carry_out(step: Step) -> object:
    """Speak to Slack, without a transaction. Returns its answer, or the SlackError."""
    try:
        if step.method == pacing.MEMBERSHIPS:
            return dedicated_lookback.memberships(step.credentials, step.arguments)
        return workspace.call(step.credentials, step.method, **step.arguments)
    except SlackError as problem:
        return problem


def _stop_showing(channel: DedicatedChannel) -> None:
    """No more updates there, unless an alert action sends alerts to that channel too."""
    shown = dedicated_steps.message_of(channel) if channel.channel_id else None
    if shown is None:
        return
    has_action = routing.naming(channel.account_id, shown.channel_id)
    if db.session.scalar(has_action.limit(1)) is not None:
        return
    channel.message_ts = shown.ts
    db.session.execute(delete(PostedMessage).where(PostedMessage.id == shown.id))


def _look_for_message_later(channel: DedicatedChannel, moment: datetime) -> None:
    age = moment - (channel.attached_at or moment)
    _come_back(channel, moment + min(max(age / 4, SOONEST_LOOK), LATEST_LOOK))


def _come_back(channel: DedicatedChannel, at: datetime) -> None:
    wake(carry_on, at=at, dedicated_channel_id=channel.id)
