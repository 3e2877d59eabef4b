"""Does an alert that people open by hand ask whom they chose, once, however often it is sent?"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Role
from portal.domain.alerts import queries
from portal.domain.alerts.models import Alert, Priority, TimelineKind, Via
from portal.domain.by_hand import operations as by_hand
from portal.domain.by_hand.operations import Draft, Opened, SlackUser
from portal.domain.escalation import policies
from portal.domain.escalation import queries as escalation
from portal.domain.escalation.models import EscalationPolicy
from portal.domain.sources.models import AlertSource
from portal.errors import Conflict, Denied, Invalid
from tests.domain.conftest import Cast
from tests.make import make_policy, make_slack_settings, make_source, make_user
from tests.together import beside, collide, until, waiting

WALTER = SlackUser("U0WALTER", "walter", "C0QUESTIONS")


@pytest.fixture
def source(app: Flask, cast: Cast) -> AlertSource:
    """Bob is asked about its alerts."""
    with app.app_context():
        source, _ = make_source(cast.account, name="Shop", type="slack")
        make_policy(cast.account, [cast.bob], name="Platform", source=source)
        return source


def opened(cast: Cast, source: AlertSource, **more: Any) -> Opened:
    draft = Draft(**{"summary": "Checkout fails", "source_id": source.id, **more})
    return by_hand.create(draft, key="one", by=db.session.get_one(User, cast.bob.id), via=Via.WEB)


def asked(alert: Alert) -> list[str]:
    return [responder.user.name for responder in escalation.responders_of(alert)]


def number_of_alerts() -> int:
    return db.session.execute(select(func.count()).select_from(Alert)).scalar_one()


def test_it_asks_whom_its_source_asks_and_says_who_opened_it(
    app: Flask, cast: Cast, source: AlertSource
) -> None:
    with app.app_context():
        alert = opened(cast, source, summary="  Checkout \n fails ", details="Since noon").alert
        assert (alert.summary, alert.details) == ("Checkout fails", "Since noon")
        first = queries.timeline(alert)[0]
        assert (first.kind, first.actor_name, first.via) == (
            TimelineKind.CREATED_BY_PERSON,
            "Bob",
            Via.WEB,
        )
        assert asked(alert) == ["Bob"]


def test_a_chosen_policy_takes_the_place_of_the_sources_own(
    app: Flask, cast: Cast, source: AlertSource
) -> None:
    with app.app_context():
        other = make_policy(cast.account, [cast.ada], name="Payments", routing_key="payments")
        alert = opened(cast, source, policy_id=other.id).alert
        assert asked(alert) == ["Ada"]
        climb = escalation.escalation_of(alert)
        assert climb is not None
        assert climb.policy_name == "Payments"
        assert climb.next_step_at is not None


def test_people_chosen_by_name_are_asked_and_nobody_else_ever(
    app: Flask, cast: Cast, source: AlertSource
) -> None:
    with app.app_context():
        alert = opened(cast, source, responder_ids=[cast.ada.id, cast.ada.id]).alert
        assert asked(alert) == ["Ada"]
        assert escalation.escalation_of(alert) is None
        assert queries.timeline(alert)[0].data["asked"] == "Ada"


def test_low_priority_asks_the_first_level_only(
    app: Flask, cast: Cast, source: AlertSource
) -> None:
    with app.app_context():
        alert = opened(cast, source, priority=Priority.LOW).alert
        climb = escalation.escalation_of(alert)
        assert climb is not None
        assert climb.next_step_at is None
        assert asked(alert) == ["Bob"]


def test_a_source_without_a_policy_asks_nobody(app: Flask, cast: Cast) -> None:
    with app.app_context():
        alert = opened(cast, make_source(cast.account)[0]).alert
        assert asked(alert) == []
        assert escalation.escalation_of(alert) is None


@pytest.mark.parametrize(
    ("field", "draft"),
    [
        ("summary", {"summary": " \n "}),
        ("summary", {"summary": "😀" * 10_000}),
        ("summary", {"summary": "&lt;!channel&gt; <@U0ADA> " * 500}),
        ("details", {"details": "x" * 10_001}),
        ("source_id", {"source_id": None}),
        ("source_id", {"source_id": 0}),
        ("policy_id", {"policy_id": 0}),
        ("responder_ids", {"responder_ids": [0]}),
    ],
)
def test_what_does_not_fit_is_said_at_its_field_and_opens_nothing(
    app: Flask, cast: Cast, source: AlertSource, field: str, draft: dict[str, Any]
) -> None:
    with app.app_context():
        with pytest.raises(Invalid) as refused:
            opened(cast, source, **draft)
        assert refused.value.field == field
        db.session.rollback()
        assert number_of_alerts() == 0


def test_nothing_of_another_account_can_be_used(
    app: Flask, cast: Cast, source: AlertSource
) -> None:
    with app.app_context():
        foreign = make_source(cast.charlie.account)[0]
        policy = make_policy(cast.charlie.account, [cast.charlie])
        for draft, field in (
            ({"source_id": foreign.id}, "source_id"),
            ({"policy_id": policy.id}, "policy_id"),
            ({"responder_ids": [cast.charlie.id]}, "responder_ids"),
        ):
            with pytest.raises(Invalid) as refused:
                opened(cast, source, **draft)
            assert refused.value.field == field
            db.session.rollback()


def test_who_may_not_respond_opens_nothing(app: Flask, cast: Cast, source: AlertSource) -> None:
    with app.app_context():
        stan = make_user(cast.account, role=Role.STAKEHOLDER)
        draft = Draft("Smoke", source_id=source.id)
        with pytest.raises(Denied):
            by_hand.create(draft, key="x", by=stan, via=Via.WEB)
        with pytest.raises(Invalid) as refused:
            opened(cast, source, responder_ids=[stan.id])
        assert refused.value.field == "responder_ids"


def test_a_disabled_source_opens_nothing(app: Flask, cast: Cast, source: AlertSource) -> None:
    with app.app_context():
        db.session.get_one(AlertSource, source.id).disabled_at = now()
        db.session.commit()
        with pytest.raises(Conflict, match="Shop are paused"):
            opened(cast, source)


def test_a_submission_that_comes_again_opens_nothing_new_whatever_changed_meanwhile(
    app: Flask, cast: Cast, source: AlertSource
) -> None:
    with app.app_context():
        first = opened(cast, source)
        db.session.get_one(AlertSource, source.id).disabled_at = now()
        db.session.commit()
        again = opened(cast, source, summary="Changed by a late copy")
        assert (again.alert.id, again.is_new, first.is_new) == (first.alert.id, False, True)
        assert again.alert.summary == "Checkout fails"
        assert number_of_alerts() == 1


def test_the_same_submission_at_the_same_moment_opens_one_alert(
    app: Flask, cast: Cast, source: AlertSource
) -> None:
    attempt: Callable[[], Opened] = lambda: opened(cast, source)  # noqa: E731 - three times the same
    lock = "LOCK TABLE alerts IN SHARE MODE"
    results = collide(app, lock, [attempt, attempt, attempt])
    assert sorted(result.is_new for result in results) == [False, False, True]
    with app.app_context():
        assert number_of_alerts() == 1
        alert = db.session.scalars(select(Alert)).one()
        kinds = [entry.kind for entry in queries.timeline(alert)]
        assert kinds.count(TimelineKind.CREATED_BY_PERSON) == 1


def test_anybody_in_a_channel_that_is_set_up_opens_one_with_what_is_offered_there(
    app: Flask, cast: Cast, source: AlertSource
) -> None:
    with app.app_context():
        offered = make_policy(cast.account, [cast.ada], name="Payments")
        make_slack_settings(source, offered)
        draft = Draft("Card terminal is dead", policy_id=offered.id)
        alert, is_new = by_hand.create_in_channel(
            draft, account_id=cast.account.id, key="v1", by=None, slack_user=WALTER
        )
        assert is_new
        assert (alert.source_id, asked(alert)) == (source.id, ["Ada"])
        first = queries.timeline(alert)[0]
        assert (first.actor_id, first.actor_name, first.via) == (None, "walter", Via.SLACK)
        assert first.data["slack_user_id"] == "U0WALTER"


def test_elsewhere_and_for_what_is_not_offered_nobody_without_an_account_opens_one(
    app: Flask, cast: Cast, source: AlertSource
) -> None:
    with app.app_context():
        offered, other = (make_policy(cast.account, [cast.ada]) for _ in range(2))
        make_slack_settings(source, offered)
        elsewhere = SlackUser("U0WALTER", "walter", "C0ELSEWHERE")
        refused: list[tuple[int, SlackUser, type[Exception]]] = [
            (other.id, WALTER, Invalid),
            (offered.id, elsewhere, Denied),
        ]
        for policy_id, who, problem in refused:
            with pytest.raises(problem):
                by_hand.create_in_channel(
                    Draft("Smoke", policy_id=policy_id),
                    account_id=cast.account.id,
                    key="v2",
                    by=None,
                    slack_user=who,
                )
            db.session.rollback()
        assert number_of_alerts() == 0


def test_a_policy_that_is_deleted_meanwhile_is_said_at_its_field(
    app: Flask, cast: Cast, source: AlertSource
) -> None:
    with app.app_context():
        doomed = make_policy(cast.account, [cast.ada])
        policies.delete(doomed.id, by=db.session.get_one(User, cast.ada.id))
        with pytest.raises(Invalid, match="no longer offered") as refused:
            opened(cast, source, policy_id=doomed.id)
        assert refused.value.field == "policy_id"
        assert db.session.get(EscalationPolicy, doomed.id) is None


def test_a_policy_that_is_being_deleted_at_this_moment_is_waited_for(
    app: Flask, cast: Cast, source: AlertSource
) -> None:
    with app.app_context():
        doomed = make_policy(cast.account, [cast.ada])

    def attempt() -> Opened:
        with app.app_context():
            return opened(cast, source, policy_id=doomed.id)

    with ThreadPoolExecutor(1) as pool, beside(app) as connection:
        connection.execute(
            text("DELETE FROM escalation_policies WHERE id = :id"), {"id": doomed.id}
        )
        started = pool.submit(attempt)
        until(lambda: len(waiting(app)) == 1, "the new alert waits for the policy")
        connection.commit()
        with pytest.raises(Invalid, match="no longer offered"):
            started.result()
    with app.app_context():
        assert number_of_alerts() == 0
