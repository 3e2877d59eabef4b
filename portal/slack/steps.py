"""What does a lane do next, and what came of it? Slack is called without any row held."""

from dataclasses import dataclass
from datetime import datetime

from portal.db import now
from portal.observability import counters
from portal.slack import gateway, lookback, outcomes, pacing, queue, threads, workspace
from portal.slack.calls import Call
from portal.slack.errors import Meaning, SlackError
from portal.slack.installations import Credentials
from portal.slack.lookback import Seen
from portal.slack.pacing import HISTORY, REPLIES
from portal.slack.posted import Lane, Sent


@dataclass(frozen=True)
class Ask:
    """During an outage, before anything else: does Slack answer at all?"""

    credentials: Credentials


@dataclass(frozen=True)
class Look:
    """Was something posted already that we never heard of?"""

    credentials: Credentials
    channel_id: str
    since: datetime
    thread_ts: str | None = None  # in this thread of the channel


Step = Call | Ask | Look


@dataclass(frozen=True)
class Done:
    """A step that was carried out, with Slack's answer or its refusal; at first there is none."""

    step: Step | None = None
    answer: object = None
    problem: SlackError | None = None

    @property
    def says_slack_is_there(self) -> bool:
        return isinstance(self.step, Ask) and self.problem is None

    @property
    def has_succeeded(self) -> bool:
        return isinstance(self.step, Call) and self.problem is None

    @property
    def has_answer(self) -> bool:
        """Whether Slack answered, whatever it said."""
        is_away = self.problem is not None and self.problem.is_outage
        return self.step is not None and not is_away


def carry_out(step: Step) -> Done:
    """Speak to Slack. Call it without a transaction."""
    try:
        match step:
            case Call():
                answer: object = workspace.call_at_once(
                    step.credentials, step.method, **step.arguments
                )
            case Look():
                answer = lookback.look(
                    step.credentials, step.channel_id, step.since, step.thread_ts
                )
            case Ask():
                answer = None
                if not gateway.answers(step.credentials.token):
                    return Done(step, problem=SlackError("unreachable"))
    except SlackError as problem:
        return Done(step, problem=problem)
    return Done(step, answer)


def record(lane: Lane, done: Done) -> list[str]:
    """Write down what came of it. Returns other channels that have work now.

    Within the caller's transaction, with the lane locked.
    """
    match done.step, done.problem:
        case Call() as call, None:
            assert isinstance(done.answer, dict)  # noqa: S101 - what workspace.call() returns
            outcomes.succeeded(lane, call, done.answer, now())
        case Call() as call, SlackError() as problem:
            return outcomes.failed(lane, call, problem, now())
        case Look() as look, problem:
            _looked(lane, look, done.answer, problem)
        case Ask(), SlackError():
            lane.next_at = pacing.note_outage(lane.account_id, None, now())
    return []


def _looked(lane: Lane, look: Look, answer: object, problem: SlackError | None) -> None:
    moment, method = now(), REPLIES if look.thread_ts else HISTORY
    outcome = problem.code if problem else lookback.OK
    counters.add(counters.calls(method, outcome), shard=lane.channel_id)
    match problem.meaning if problem else None:
        case Meaning.ASKED_TO_WAIT:
            assert problem is not None  # noqa: S101 - it has a meaning
            outcomes.hold_method(lane.account_id, method, problem, moment)
            return
        case Meaning.TEMPORARY:
            lane.next_at = pacing.note_outage(lane.account_id, outcome, moment)
            return
        case Meaning.LINK_DEAD:
            return  # authorizing again wakes the lane
    if not look.thread_ts:
        lane.look_outcome = outcome
    found = answer if isinstance(answer, Seen) else None
    for _ in range(1, found.pages if found else 1):  # the first had its place before
        pacing.take(lane.account_id, method, moment)
    for row in _uncertain(lane, look):
        seen = found.messages.get((type(row), row.id)) if found else None
        if seen is not None:
            outcomes.adopted(lane, row, seen.ts, seen.version)
        else:  # not there, so that nothing stands in the way of posting it; or we may not look
            row.uncertain_since = None
            row.last_error = row.last_error if found is not None else "interrupted"


def _uncertain(lane: Lane, look: Look) -> list[Sent]:
    """What this look tells about: the messages of the channel, or the replies in one thread."""
    if look.thread_ts is None:
        return [*queue.uncertain(lane)]
    return [reply for reply in threads.uncertain(lane) if reply.thread_ts == look.thread_ts]
