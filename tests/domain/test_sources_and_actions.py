"""Who may change alert sources and alert actions, and what holds for them?"""

import pytest
from flask import Flask

from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Role
from portal.domain.routing import matching
from portal.domain.routing import operations as actions
from portal.domain.routing import queries as routing
from portal.domain.routing.drafts import ActionDraft
from portal.domain.routing.triggers import Trigger
from portal.domain.sources import operations as sources
from portal.domain.sources import queries
from portal.errors import Conflict, Denied, Invalid, NotFound
from tests.domain.conftest import Cast
from tests.make import make_action, make_alert, make_source, make_user


def create(account: Account, by: User, name: str = "Prometheus") -> str:
    return sources.create(account=account, name=name, type="api", by=by)[1]


def test_a_key_names_its_source_until_it_is_replaced(app: Flask, cast: Cast) -> None:
    with app.app_context():
        old = create(cast.account, cast.ada)
        source = queries.by_integration_key(old)
        _, new = sources.rotate_integration_key(source.id, by=cast.ada)
        assert queries.by_integration_key(new).id == source.id
        with pytest.raises(NotFound):
            queries.by_integration_key(old)


def test_a_name_is_taken_within_one_account_only(app: Flask, cast: Cast) -> None:
    with app.app_context():
        create(cast.account, cast.ada)
        with pytest.raises(Conflict, match="“Prometheus”"):
            create(cast.account, cast.ada, " Prometheus ")
        assert cast.charlie.account is not None
        create(cast.charlie.account, cast.charlie)


@pytest.mark.parametrize(("name", "type"), [("", "api"), ("x" * 81, "api"), ("Fine", "abacus")])
def test_a_source_needs_a_name_and_a_known_type(
    app: Flask, cast: Cast, name: str, type: str
) -> None:
    with app.app_context(), pytest.raises(Invalid) as refused:
        sources.create(account=cast.account, name=name, type=type, by=cast.ada)
    assert refused.value.field == ("type" if name == "Fine" else "name")


@pytest.mark.parametrize("role", [Role.STAKEHOLDER, Role.RESPONDER, Role.SUPPORT])
def test_who_is_not_a_user_changes_neither_sources_nor_actions(
    app: Flask, cast: Cast, role: Role
) -> None:
    with app.app_context():
        person = make_user(None if role is Role.SUPPORT else cast.account, role=role)
        source, _ = make_source(cast.account)
        action = make_action(source)
        draft = ActionDraft([source], [("C111", "ops")])
        changed = {"name": "Mine", "type": "api", "escalation_policy_id": None}
        for attempt in (
            lambda: create(cast.account, person),
            lambda: sources.change(source.id, **changed, by=person),
            lambda: sources.rotate_integration_key(source.id, by=person),
            lambda: sources.disable(source.id, by=person),
            lambda: sources.enable(source.id, by=person),
            lambda: actions.create(draft, account=cast.account, by=person),
            lambda: actions.change(action.id, draft, by=person),
            lambda: actions.clone(action.id, sources=[], by=person),
            lambda: actions.test(action.id, by=person),
            lambda: actions.delete(action.id, by=person),
        ):
            with pytest.raises(Denied):
                attempt()
        shown = 1 if role is Role.RESPONDER else 0
        assert len(queries.sources_of(person)) == len(routing.actions_of(person)) == shown


def test_sources_and_actions_of_another_account_do_not_exist(app: Flask, cast: Cast) -> None:
    with app.app_context():
        source, _ = make_source(cast.account)
        action, foreign = make_action(source), cast.charlie
        assert foreign.account is not None
        own = make_action(account=foreign.account)
        draft = ActionDraft([source], [("C111", "ops")])
        changed = {"name": "Mine", "type": "api", "escalation_policy_id": None}
        for attempt in (
            lambda: queries.source(foreign, source.id),
            lambda: routing.action(foreign, action.id),
            lambda: create(cast.account, foreign),
            lambda: sources.change(source.id, **changed, by=foreign),
            lambda: sources.rotate_integration_key(source.id, by=foreign),
            lambda: sources.disable(source.id, by=foreign),
            lambda: actions.create(draft, account=cast.account, by=foreign),
            lambda: actions.create(draft, account=foreign.account, by=foreign),
            lambda: actions.change(own.id, draft, by=foreign),
            lambda: actions.clone(own.id, sources=[source], by=foreign),
            lambda: actions.clone(action.id, sources=[], by=foreign),
            lambda: actions.test(action.id, by=foreign),
            lambda: actions.delete(action.id, by=foreign),
        ):
            with pytest.raises(NotFound):
                attempt()
        assert source.id not in [each.id for each in queries.sources_of(foreign)]
        assert [each.id for each in routing.actions_of(foreign)] == [own.id]


def test_an_action_needs_a_source_and_a_channel(app: Flask, cast: Cast) -> None:
    with app.app_context():
        source, _ = make_source(cast.account)
        for draft, field in (
            (ActionDraft([], [("C111", "ops")]), "sources"),
            (ActionDraft([source], []), "channels"),
            (ActionDraft([source], [("", "ops")]), "channels"),
            (ActionDraft([source], [("C111", "ops"), ("#ops", "ops")]), "channels"),
        ):
            with pytest.raises(Invalid) as refused:
                actions.create(draft, account=cast.account, by=cast.ada)
            assert refused.value.field == field


def test_what_is_named_twice_counts_once(app: Flask, cast: Cast) -> None:
    with app.app_context():
        source, _ = make_source(cast.account)
        draft = ActionDraft([source, source], [("C111", "ops"), ("C111", "#ops")])
        action = actions.create(draft, account=cast.account, by=cast.ada)
        assert [each.id for each in action.sources] == [source.id]
        assert [each.channel_name for each in action.channels] == ["ops"]


def test_two_actions_that_name_one_channel_make_one_message(app: Flask, cast: Cast) -> None:
    with app.app_context():
        source, _ = make_source(cast.account)
        other, _ = make_source(cast.account)
        make_action(source, channel_id="C111", channel_name="ops")
        make_action(source, other, channel_id="C111", channel_name="ops")
        make_action(source, channel_id="C222", channel_name="db")
        make_action(other, channel_id="C333", channel_name="web")
        alert = make_alert(source)
        found = matching.channels_of(routing.publishing(alert, Trigger.CREATED))
    assert found == {"C111": "ops", "C222": "db"}
