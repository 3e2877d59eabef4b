"""What may people do to alerts, and what do they hear when somebody was faster?"""

from collections.abc import Callable

import pytest
from flask import Flask

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Role
from portal.domain.alerts import operations, queries
from portal.domain.alerts.models import Alert, AlertStatus, TimelineEntry, TimelineKind, Via
from portal.errors import Conflict, Denied, Invalid, NotFound
from tests.domain.conftest import Cast
from tests.make import make_alert, make_source, make_user
from tests.together import collide

Operation = Callable[..., Alert]
LOCK = "SELECT 1 FROM alerts WHERE id = :id FOR UPDATE"


@pytest.fixture
def alert(app: Flask, cast: Cast) -> Alert:
    with app.app_context():
        return make_alert(make_source(cast.account, name="Prometheus")[0])


def kinds(app: Flask, alert: Alert) -> list[TimelineKind]:
    with app.app_context():
        return [entry.kind for entry in queries.timeline(alert)]


def by(operation: Operation, alert: Alert, person: User) -> Callable[[], Alert]:
    return lambda: operation(alert.id, by=db.session.get_one(User, person.id), via=Via.WEB)


def test_acknowledging_says_who_has_it(app: Flask, cast: Cast, alert: Alert) -> None:
    with app.app_context():
        changed = operations.acknowledge(alert.id, by=cast.bob, via=Via.SLACK)
        assert (changed.status, changed.acknowledger) == (AlertStatus.ACKNOWLEDGED, "Bob")
        entry = queries.timeline(alert)[-1]
    assert (entry.kind, entry.actor_name, entry.via) == (
        TimelineKind.ACKNOWLEDGED,
        "Bob",
        Via.SLACK,
    )


def test_a_second_click_of_the_same_person_changes_nothing(
    app: Flask, cast: Cast, alert: Alert
) -> None:
    for operation in (operations.acknowledge, operations.resolve):
        with app.app_context():
            first, second = (operation(alert.id, by=cast.bob, via=Via.WEB) for _ in range(2))
            assert first.status is second.status
    expected = [TimelineKind.CREATED, TimelineKind.ACKNOWLEDGED, TimelineKind.RESOLVED]
    assert kinds(app, alert) == expected


def test_who_acknowledges_later_hears_who_was_first(app: Flask, cast: Cast, alert: Alert) -> None:
    with app.app_context():
        operations.acknowledge(alert.id, by=cast.ada, via=Via.WEB)
        with pytest.raises(Conflict, match=r"Ada acknowledged this \d s ago. Nothing was changed."):
            operations.acknowledge(alert.id, by=cast.bob, via=Via.WEB)


@pytest.mark.parametrize("operation", [operations.acknowledge, operations.resolve])
def test_a_resolved_alert_is_final(
    app: Flask, cast: Cast, alert: Alert, operation: Operation
) -> None:
    with app.app_context():
        operations.resolve(alert.id, by=cast.ada, via=Via.WEB)
        with pytest.raises(Conflict, match="by Ada"):
            operation(alert.id, by=cast.bob, via=Via.WEB)


@pytest.mark.parametrize("operation", [operations.acknowledge, operations.resolve])
def test_of_two_people_at_once_one_changes_it_and_the_other_hears_who(
    app: Flask, cast: Cast, alert: Alert, operation: Operation
) -> None:
    attempts = [by(operation, alert, cast.ada), by(operation, alert, cast.bob)]
    results = collide(app, LOCK, attempts, id=alert.id)
    (loser,) = [result for result in results if isinstance(result, Exception)]
    winner = "Bob" if loser is results[0] else "Ada"
    assert isinstance(loser, Conflict)
    assert winner in str(loser)
    assert len(kinds(app, alert)) == 2


def test_acknowledging_and_resolving_at_once_ends_resolved(
    app: Flask, cast: Cast, alert: Alert
) -> None:
    attempts = [
        by(operations.acknowledge, alert, cast.ada),
        by(operations.resolve, alert, cast.bob),
    ]
    results = collide(app, LOCK, attempts, id=alert.id)
    assert not isinstance(results[1], Exception)
    assert results[0].__class__ in (Alert, Conflict)
    with app.app_context():
        assert db.session.get_one(Alert, alert.id).status is AlertStatus.RESOLVED
    was_late = isinstance(results[0], Conflict)
    assert kinds(app, alert).count(TimelineKind.ACKNOWLEDGED) == (0 if was_late else 1)


@pytest.mark.parametrize("role", Role)
def test_only_responders_and_above_act_on_alerts(app: Flask, cast: Cast, role: Role) -> None:
    may = role in (Role.RESPONDER, Role.USER, Role.ADMIN, Role.OWNER)
    with app.app_context():
        alert = make_alert(make_source(cast.account)[0])
        person = make_user(None if role is Role.SUPPORT else cast.account, role=role)
        for operation in (operations.acknowledge, operations.resolve):
            if may:
                operation(alert.id, by=person, via=Via.WEB)
            else:
                with pytest.raises(Denied):
                    operation(alert.id, by=person, via=Via.WEB)
        assert (db.session.get_one(Alert, alert.id).status is AlertStatus.RESOLVED) == may


def test_another_account_does_not_even_learn_that_it_exists(
    app: Flask, cast: Cast, alert: Alert
) -> None:
    with app.app_context():
        said = set()
        for alert_id in (alert.id, alert.id + 1000):
            for operation in (operations.acknowledge, operations.resolve):
                with pytest.raises(NotFound) as refused:
                    operation(alert_id, by=cast.charlie, via=Via.WEB)
                said.add(str(refused.value))
            with pytest.raises(NotFound):
                operations.comment(alert_id, "Hello", by=cast.charlie, via=Via.WEB)
            with pytest.raises(NotFound):
                queries.alert(cast.charlie, alert_id)
        assert len(said) == 1
        assert queries.alerts_of(cast.charlie, statuses=list(AlertStatus)) == []
    assert kinds(app, alert) == [TimelineKind.CREATED]


def test_a_deactivated_person_may_nothing_at_once(app: Flask, cast: Cast, alert: Alert) -> None:
    with app.app_context():
        bob = db.session.get_one(User, cast.bob.id)
        bob.deactivated_at = alert.created_at
        with pytest.raises(Denied):
            operations.acknowledge(alert.id, by=bob, via=Via.SLACK)


def test_a_comment_is_kept_even_on_a_resolved_alert(app: Flask, cast: Cast, alert: Alert) -> None:
    with app.app_context():
        operations.resolve(alert.id, by=cast.ada, via=Via.WEB)
        operations.comment(alert.id, " It was the\x00 disk. ", by=cast.bob, via=Via.WEB)
        entry: TimelineEntry = queries.timeline(alert)[-1]
    assert (entry.kind, entry.actor_name) == (TimelineKind.COMMENT_ADDED, "Bob")
    assert entry.data == {"content": "It was the disk."}


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 4001])
def test_an_empty_or_endless_comment_is_refused(
    app: Flask, cast: Cast, alert: Alert, text: str
) -> None:
    with app.app_context(), pytest.raises(Invalid) as refused:
        operations.comment(alert.id, text, by=cast.bob, via=Via.WEB)
    assert refused.value.field == "content"
