"""Who reacts to what? Read this table to know everything that follows from a fact.

A reaction *with it* runs in the fact's own transaction and touches nothing but the database; it
returns the jobs that must look at its rows, and may announce further facts. One that reacts
*together* does the same once, after all of those, with every fact of its own: a thousand alerts that
escalate at one moment are one update; what it announces is reacted to in a further round. A reaction
*after it* is a job named for the ids of the fact.
Jobs are deferred on the session's connection: no commit, no job; commit, and none is lost.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session, SessionTransaction

from portal.domain import facts
from portal.domain.dedicated_channels import reactions as dedicated_channels
from portal.domain.escalation import reactions as escalation
from portal.domain.notifications import reactions as notifications
from portal.domain.oncall import absences
from portal.domain.routing import queries as routing
from portal.jobs import notifications as timers
from portal.jobs.engine import Job, Wake, wake
from portal.mail import notices as mailed_notices
from portal.mail import sending as mail
from portal.slack import (
    action_runs,
    action_tests,
    dedicated,
    dedicated_reactions,
    direct_messages,
    link_notices,
    mapping,
    new_alert_told,
    revocations,
    status_updates,
    user_groups,
)
from portal.slack import reactions as slack

WithIt = Callable[[Any], Iterable[Wake] | None]
Together = Callable[[Sequence[Any]], Iterable[Wake] | None]


@dataclass(frozen=True)
class Reactions:
    with_it: tuple[WithIt, ...] = ()
    together: tuple[Together, ...] = ()
    after_it: tuple[Job, ...] = ()


ANSWERED = Reactions(
    with_it=(escalation.stop, notifications.hush),
    together=(
        slack.show_alerts_anew,
        dedicated_reactions.follow_alerts,
        status_updates.tell,
        direct_messages.hush,
    ),
)

SUBSCRIPTIONS: dict[type[facts.Fact], Reactions] = {
    facts.PersonChanged: Reactions(
        with_it=(absences.note_absence, notifications.forget, direct_messages.forget)
    ),
    facts.PersonJoined: Reactions(after_it=(mapping.look_up,)),
    facts.AlertCreated: Reactions(
        with_it=(escalation.begin, new_alert_told.tell_creator),
        together=(slack.show_new_alerts,),
    ),
    facts.AlertEventJoined: Reactions(together=(slack.show_alerts_anew,)),
    facts.AlertAcknowledged: ANSWERED,
    facts.AlertResolved: ANSWERED,
    facts.AlertPriorityRaised: Reactions(
        with_it=(escalation.go_on, dedicated_channels.create_for_raised),
        together=(slack.show_alerts_anew,),
    ),
    facts.AlertEscalated: Reactions(together=(slack.show_alerts_anew,)),
    facts.AlertEscalationEnded: Reactions(together=(slack.show_alerts_anew,)),
    facts.NobodyOnCall: Reactions(
        with_it=(escalation.tell_admins,), together=(slack.show_alerts_anew,)
    ),
    facts.ResponderAdded: Reactions(
        together=(notifications.plan, slack.show_alerts_anew, dedicated_reactions.follow_alerts)
    ),
    facts.ResponderRemoved: Reactions(
        with_it=(notifications.spare,), together=(slack.show_alerts_anew, direct_messages.spare)
    ),
    facts.AlertSummaryChanged: Reactions(
        together=(slack.show_alerts_anew, dedicated_reactions.follow_alerts)
    ),
    facts.AlertRerouted: Reactions(
        with_it=(notifications.hush,),
        together=(
            slack.show_alerts_anew,
            dedicated_reactions.follow_alerts,
            status_updates.tell,
            direct_messages.hush,
        ),
    ),
    facts.TimelineGrew: Reactions(together=(slack.show_alerts_anew,)),
    facts.AlertActionDue: Reactions(together=(slack.show_alerts_anew,)),
    facts.AlertActionRun: Reactions(with_it=(action_runs.post,)),
    facts.AlertActionTested: Reactions(after_it=(action_tests.post,)),
    facts.NotificationDue: Reactions(together=(direct_messages.hand_over, mail.hand_over)),
    facts.NotificationFailed: Reactions(after_it=(timers.next_way,)),
    facts.NoticeTold: Reactions(with_it=(mailed_notices.hand_over,)),
    facts.DedicatedChannelRequested: Reactions(after_it=(dedicated.carry_on,)),
    facts.DedicatedChannelAttached: Reactions(with_it=(dedicated_reactions.show_alert,)),
    facts.DedicatedChannelDetached: Reactions(with_it=(dedicated_reactions.leave,)),
    facts.WorkspaceLinked: Reactions(
        with_it=(
            slack.resume_lanes,
            dedicated_reactions.resume,
            link_notices.say_no_more,
            user_groups.try_again,
        ),
        after_it=(mapping.look_up,),
    ),
    facts.WorkspaceBroken: Reactions(
        with_it=(link_notices.tell_admins, direct_messages.link_is_gone)
    ),
    facts.WorkspaceUnlinked: Reactions(
        with_it=(link_notices.say_no_more, direct_messages.link_is_gone),
        after_it=(revocations.revoke_token,),
    ),
}
# New alerts get their places before anything is told of them there: as the table has it.
IN_ORDER = tuple(dict.fromkeys(one for each in SUBSCRIPTIONS.values() for one in each.together))


def tell(session: Session) -> None:
    """Before the commit: react to what was announced, then wake the jobs in one fixed order.

    Waking comes last and sorted, because two transactions that wake the same jobs in opposite
    order would wait for each other.
    """
    if session.in_nested_transaction():
        return
    session.flush()
    wakes: dict[str, Wake] = {}
    session.info[routing.READ_ONCE] = {}  # a hundred new alerts of one source ask it once
    try:
        while session.info.get("facts"):
            for wanted in _round(session):
                wakes[wanted.key] = wanted
    finally:
        del session.info[routing.READ_ONCE]
    for _, wanted in sorted(wakes.items()):
        wake(wanted.job, at=wanted.at, **wanted.ids)


def _round(session: Session) -> Iterator[Wake]:
    """React to what is announced now and to what that announces, then together to all of it."""
    together: dict[Together, list[facts.Fact]] = {react: [] for react in IN_ORDER}
    while announced := session.info.pop("facts", []):
        for fact in announced:
            for react in SUBSCRIPTIONS[type(fact)].together:
                together[react].append(fact)
            yield from _wakes(fact)
        session.flush()
    for react, of_theirs in together.items():
        if of_theirs:
            yield from react(of_theirs) or ()
    session.flush()


def _wakes(fact: facts.Fact) -> Iterator[Wake]:
    reactions = SUBSCRIPTIONS[type(fact)]
    for react in reactions.with_it:
        yield from react(fact) or ()
    for job in reactions.after_it:
        yield Wake(job, {name: getattr(fact, name) for name in job.ids})


def forget(session: Session, ended: SessionTransaction) -> None:
    """A transaction that was rolled back has announced nothing."""
    if not ended.nested:
        session.info.pop("facts", None)
