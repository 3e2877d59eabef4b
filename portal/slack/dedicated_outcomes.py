"""What follows for an alert's own channel from Slack's answer? Within the caller's transaction,
with the row locked."""

import random
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select

from portal.db import db
from portal.domain.dedicated_channels import names, progress
from portal.domain.dedicated_channels.models import (
    ChannelState,
    DedicatedChannel,
    InvitationState,
)
from portal.observability import counters
from portal.slack import dedicated_lookback, installations, pacing
from portal.slack.dedicated_steps import DONE, OUTCOMES, Step
from portal.slack.errors import CHANNEL_GONE, MEANINGS, Meaning, SlackError
from portal.slack.pacing import ARCHIVE, BOOKMARK, CREATE, INVITE, MEMBERSHIPS, UPDATE
from portal.slack.people import UserLink

IN_IT = "already_in_channel"
# What Slack would say again, beside the codes of errors.CODES.
FINAL = {
    "cannot_create_channel",
    "user_is_restricted",
    "cant_invite",
    "cant_invite_self",
    IN_IT,
    "already_pinned",
    "already_archived",
    "too_long",
    "too_many_bookmarks",
    "too_many_pins",
    "not_pinnable",
    "ura_max_channels",
    "no_external_invite_permission",
    "org_user_not_in_team",
    "invitee_cant_see_channel",
    "cant_archive_required",
}
MOST_ATTEMPTS = 5  # at what Slack refuses with a code that nobody knows; then it is given up
LONGEST_BACKOFF = 300.0  # seconds
WITHOUT_RETRY_AFTER = timedelta(seconds=30)

log = structlog.get_logger()


def interrupted(channel: DedicatedChannel, moment: datetime) -> None:
    """An attempt was begun and nobody has heard of it since: a crash, or a lost answer."""
    if channel.step == CREATE:
        channel.uncertain_since = channel.uncertain_since or channel.step_begun_at or moment
        channel.must_look = True
    elif channel.step == BOOKMARK:
        channel.bookmark_outcome = "interrupted"  # one that is missing is better than two
    channel.step = channel.step_begun_at = None


def succeeded(channel: DedicatedChannel, step: Step, answer: Any, moment: datetime) -> None:
    counters.add(counters.calls(step.method, "ok"), shard=str(channel.id))
    channel.attempts, channel.problem = 0, channel.problem if step.method == MEMBERSHIPS else None
    match step.method:
        case pacing.CREATE:
            made = answer["channel"]
            progress.attached(channel, str(made["id"]), str(made.get("name") or channel.name))
        case pacing.MEMBERSHIPS:
            _looked(channel, answer)
        case pacing.INVITE:
            _invited(channel, step, answer.get("errors"))
        case pacing.TOPIC:
            channel.topic, channel.topic_outcome = step.arguments["topic"], DONE
        case pacing.UPDATE:
            channel.message_ts = None
        case pacing.ARCHIVE:
            channel.archive_outcome = DONE
            if channel.state is ChannelState.ATTACHED:  # no event of Slack's was faster
                progress.closed(channel, progress.ARCHIVED_BY_US, moment)
        case method:
            setattr(channel, OUTCOMES[method], DONE)


def failed(channel: DedicatedChannel, step: Step, problem: SlackError, moment: datetime) -> None:
    counters.add(counters.calls(step.method, problem.code), shard=str(channel.id))
    log.warning("dedicated_channel", id=channel.id, step=step.method, slack_error=problem.code)
    channel.problem = problem.code
    if problem.meaning is Meaning.ASKED_TO_WAIT:
        seconds = problem.retry_after
        until = moment + (WITHOUT_RETRY_AFTER if seconds is None else timedelta(seconds=seconds))
        pacing.hold(channel.account_id, step.method, until, moment)
        channel.next_try_at = until
    elif problem.meaning is Meaning.LINK_DEAD:
        pass  # the link is broken now; authorizing again wakes us
    elif problem.code in CHANNEL_GONE and channel.state is ChannelState.ATTACHED:
        progress.closed(channel, problem.code, moment)
    elif problem.code == "name_taken" and step.method == CREATE:
        _name_taken(channel)
    elif step.method != MEMBERSHIPS and _is_final(channel, problem):
        _given_up(channel, step, problem)
    else:
        _later(channel, step, problem, moment)


def _is_final(channel: DedicatedChannel, problem: SlackError) -> bool:
    """Whether Slack would say the same again. Of a code that is not listed that is only likely."""
    if problem.code in MEANINGS:
        return problem.meaning is not Meaning.TEMPORARY
    is_known_to_stay = problem.code.startswith("invalid_") or problem.code in FINAL
    return is_known_to_stay or (not problem.is_outage and channel.attempts >= MOST_ATTEMPTS)


def _later(channel: DedicatedChannel, step: Step, problem: SlackError, moment: datetime) -> None:
    channel.attempts += 1
    if problem.may_have_happened:
        channel.step, channel.step_begun_at = step.method, step.begun_at
        interrupted(channel, moment)
    seconds = min(LONGEST_BACKOFF, 2.0 ** min(channel.attempts, 9))
    seconds *= random.uniform(0.8, 1.2)  # noqa: S311 - no secret
    channel.next_try_at = moment + timedelta(seconds=seconds)


def _given_up(channel: DedicatedChannel, step: Step, problem: SlackError) -> None:
    """What was asked is not done; the rest goes on."""
    channel.attempts = 0
    if step.method == CREATE:
        progress.not_created(channel, problem.code)
    elif step.method == INVITE:
        _invited(channel, step, problem.each, otherwise=problem.code)
    elif step.method == UPDATE:
        channel.message_ts = None
    elif step.method == ARCHIVE and problem.code == "already_archived":
        progress.closed(channel, "is_archived", step.begun_at)
    else:
        code = DONE if problem.code == "already_pinned" else problem.code
        setattr(channel, OUTCOMES[step.method], code)


def _name_taken(channel: DedicatedChannel) -> None:
    """By an attempt of ours that we never heard of, or by somebody else: then the next name."""
    if channel.uncertain_since is not None:
        channel.must_look = True
        return
    following = names.following(channel.name, channel.channel_name)
    if channel.is_name_typed or following is None:
        progress.not_created(channel, "name_taken")
    else:
        channel.channel_name = following


def _looked(channel: DedicatedChannel, found: list[dict[str, Any]]) -> None:
    installation = installations.of_account(channel.account_id)
    channel.must_look = False
    made = dedicated_lookback.ours(channel, installation, found) if installation else None
    if made is not None:
        log.info("dedicated_channel_found_again", id=channel.id, channel_id=made)
        progress.attached(channel, made, channel.channel_name)
    elif channel.problem == "name_taken":
        channel.uncertain_since, channel.problem = None, None  # it is somebody else's
        _name_taken(channel)


def _invited(
    channel: DedicatedChannel, step: Step, errors: object, *, otherwise: str | None = None
) -> None:
    """What became of each who was named; `otherwise` where Slack does not say it of somebody."""
    codes = {
        str(each.get("user")): str(each.get("error"))
        for each in (errors if isinstance(errors, list) else [])
        if isinstance(each, dict)
    }
    asked = step.arguments["users"].split(",")
    links = select(UserLink).where(
        UserLink.account_id == channel.account_id, UserLink.slack_user_id.in_(asked)
    )
    slack_ids = {link.user_id: link.slack_user_id for link in db.session.scalars(links)}
    for invitation in channel.invitations:
        slack_id = slack_ids.get(invitation.user_id)
        if slack_id is None or invitation.state is not InvitationState.WANTED:
            continue
        code = codes.get(slack_id, otherwise)
        is_in = code is None or code == IN_IT
        invitation.state = InvitationState.INVITED if is_in else InvitationState.REFUSED
        invitation.reason = None if is_in else code
