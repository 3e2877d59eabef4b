"""Can people make a policy without losing what they typed, and see who would be asked right now?"""

from datetime import timedelta
from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.db import db, now
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Role
from portal.domain.escalation.models import EscalationPolicy
from portal.domain.oncall.models import Schedule, ScheduleType, StaticShift
from portal.domain.sources.models import AlertSource
from tests.make import make_account, make_policy, make_source, make_user, sign_in
from tests.web.pages import post, text_of

POLICIES = "/escalation-policies"
NEW = f"{POLICIES}/new"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def account(app: Flask) -> Account:
    with app.app_context():
        return make_account("Acme")


@pytest.fixture
def uma(app: Flask, client: FlaskClient, account: Account) -> User:
    """A user; signed in."""
    with app.app_context():
        person = make_user(account, role=Role.USER, name="Uma")
    sign_in(client, person)
    return person


@pytest.fixture
def ada(app: Flask, account: Account) -> User:
    with app.app_context():
        return make_user(account, name="Ada")


@pytest.fixture
def rota(app: Flask, account: Account, ada: User) -> Schedule:
    """Ada is on call for the next two hours, then nobody."""
    with app.app_context():
        schedule = Schedule(
            account_id=account.id, name="Rota", type=ScheduleType.STATIC, time_zone="UTC"
        )
        db.session.add(schedule)
        db.session.flush()
        begin, end = now() - timedelta(hours=1), now() + timedelta(hours=2)
        db.session.add(
            StaticShift(schedule_id=schedule.id, user_id=ada.id, starts_at=begin, ends_at=end)
        )
        db.session.commit()
        db.session.refresh(schedule)
        return schedule


def person(user: User) -> str:
    return f"person:{user.id}"


def typed(client: FlaskClient, uma: User, **fields: str) -> TestResponse:
    """A form with one level that asks Uma, and the fields that differ."""
    form = {
        "name": "Platform",
        "level-0-timeout": "10",
        "level-0-target": person(uma),
        "repeats": "0",
        "delay_minutes": "0",
    }
    return post(client, NEW, **form | fields)


def kept(app: Flask) -> list[tuple[int, int, list[str]]]:
    """Level, minutes and names of the only policy."""
    with app.app_context():
        policy = db.session.scalars(db.select(EscalationPolicy)).one()
        return [
            (
                rule.level,
                rule.timeout_minutes,
                [(each.user or each.schedule).name for each in rule.targets],  # type: ignore[union-attr]
            )
            for rule in policy.rules
        ]


def test_a_policy_is_made_of_people_and_schedules(
    app: Flask, client: FlaskClient, uma: User, ada: User, rota: Schedule
) -> None:
    answer = typed(
        client,
        uma,
        **{
            "level-0-target": f"schedule:{rota.id}",
            "level-0-timeout": "5",
            "level-1-timeout": "15",
            "level-1-target": person(uma),
            "level-1-add": person(ada),
            "repeats": "2",
            "routing_key": " Platform ",
        },
    )
    assert answer.status_code == HTTPStatus.FOUND
    assert kept(app) == [(1, 5, ["Rota"]), (2, 15, ["Uma", "Ada"])]
    page = text_of(client.get(answer.location))
    assert "Ada by Rota , hands over" in page
    assert "begins again 2×" in page
    assert "Platform" in page


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "  ", "name of 1 to 80"),
        ("level-0-timeout", "0", "minutes from 1 to 1440"),
        ("level-0-timeout", "1441", "minutes from 1 to 1440"),
        ("level-0-timeout", "soon", "minutes from 1 to 1440"),
        ("level-0-target", "", "at least one person or schedule"),
        ("repeats", "10", "repeats from 0 to 9"),
        ("delay_minutes", "61", "minutes from 0 to 60"),
        ("delay_minutes", "-1", "minutes from 0 to 60"),
        ("routing_key", "a,b", "without a comma"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_typed_is_lost(
    app: Flask, client: FlaskClient, uma: User, ada: User, field: str, value: str, words: str
) -> None:
    answer = typed(
        client,
        uma,
        **{"level-1-timeout": "77", "level-1-target": person(ada), "name": "Night"}
        | {field: value},
    )
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert words in answer.text
    assert f'name="level-1-target" value="{person(ada)}"' in answer.text
    assert 'value="77"' in answer.text
    if field not in ("name", "level-0-target"):
        assert f'value="{value}"' in answer.text
        assert 'value="Night"' in answer.text
    with app.app_context():
        assert db.session.query(EscalationPolicy).count() == 0


def test_a_taken_name_or_routing_key_is_said_at_its_field(
    app: Flask, client: FlaskClient, account: Account, uma: User
) -> None:
    with app.app_context():
        make_policy(account, [uma], name="Platform", routing_key="Key")
        make_policy(make_account(), name="Elsewhere", routing_key="free")
    assert "already an escalation policy named" in typed(client, uma).text
    assert "already an escalation policy named" in typed(client, uma, name="PLATFORM").text
    assert "has this routing key" in typed(client, uma, name="New", routing_key="kEY").text
    assert typed(client, uma, name="New", routing_key="free").status_code == HTTPStatus.FOUND


def test_the_buttons_of_the_editor_keep_what_was_typed(
    client: FlaskClient, uma: User, ada: User
) -> None:
    two = {"level-0-timeout": "11", "level-1-timeout": "22", "level-1-target": person(ada)}
    for deed, order in (
        ("up-1", ["22", "11"]),
        ("down-0", ["22", "11"]),
        ("up-0", ["11", "22"]),
        ("remove-0", ["22"]),
        ("add-level", ["11", "22", "10"]),
        ("nonsense", ["11", "22"]),
        ("up-99", ["11", "22"]),
        (f"up-{'9' * 5000}", ["11", "22"]),
    ):
        page = typed(client, uma, name="Half typed", do=deed, **two).text
        places = [page.index(f'-timeout" value="{minutes}"') for minutes in order]
        assert places == sorted(places), deed
        assert page.count('-timeout" value="') == len(order), deed
        assert 'value="Half typed"' in page


def test_a_target_that_no_form_offers_is_refused(client: FlaskClient, uma: User) -> None:
    for target in ("person:" + "9" * 5000, "person:-1", "alien:1", "person:²"):
        answer = typed(client, uma, **{"level-0-target": target})
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, target
        assert "can no longer be chosen" in answer.text


def test_people_are_added_to_a_level_and_removed(client: FlaskClient, uma: User, ada: User) -> None:
    added = typed(client, uma, do="add-0", **{"level-0-add": person(ada)}).text
    for who in (uma, ada):
        assert f'name="level-0-target" value="{person(who)}"' in added
    removed = typed(client, uma, do=f"drop-0-{person(uma)}").text
    assert 'name="level-0-target"' not in removed


def test_with_htmx_only_the_levels_come_back_and_the_focus_follows(
    client: FlaskClient, uma: User
) -> None:
    client.environ_base["HTTP_HX_REQUEST"] = "true"
    part = typed(client, uma, do="add-level").text
    assert "<html" not in part
    assert part.lstrip().startswith('<div id="policy-levels"')
    assert part.count("autofocus") == 1
    assert "autofocus" in part[part.index('id="level-1-add"') :]


def test_a_button_pressed_before_htmx_took_it_over_keeps_the_focus_too(
    client: FlaskClient, uma: User
) -> None:
    whole = typed(client, uma, do="add-level").text
    assert "<html" in whole
    assert "autofocus" in whole[whole.index('id="level-1-add"') :]


def test_editing_shows_what_is_there_and_changes_it(
    app: Flask, client: FlaskClient, account: Account, uma: User, ada: User
) -> None:
    with app.app_context():
        policy = make_policy(account, [uma], [ada], timeout_minutes=7)
    url = f"{POLICIES}/{policy.id}/edit"
    page = client.get(url).text
    assert page.count('-timeout" value="7"') == 2
    fields = {"level-0-timeout": "9", "level-0-target": person(ada), "name": "Renamed"}
    answer = post(client, url, **fields)
    assert answer.location == f"{POLICIES}/{policy.id}"
    assert kept(app) == [(1, 9, ["Ada"])]


def test_who_cannot_be_reached_is_said_before_it_matters(
    app: Flask, client: FlaskClient, account: Account, uma: User, ada: User, rota: Schedule
) -> None:
    with app.app_context():
        policy = make_policy(account, [rota], [ada], name="Platform")
        empty = Schedule(
            account_id=account.id, name="Empty", type=ScheduleType.STATIC, time_zone="UTC"
        )
        db.session.add(empty)
        db.session.commit()
        make_policy(account, [empty], name="Nobody's")
    page = text_of(client.get(f"{POLICIES}/{policy.id}"))
    assert page.count("Unreachable: not connected to Slack") == 2
    listed = text_of(client.get(POLICIES))
    assert "an alert now would reach nobody" in listed
    assert "now Ada" in listed


def test_a_policy_in_use_is_not_deleted_and_says_who_uses_it(
    app: Flask, client: FlaskClient, account: Account, uma: User
) -> None:
    with app.app_context():
        source = make_source(account, name="Prometheus")[0]
        policy = make_policy(account, [uma], name="Platform", source=source)
    url = f"{POLICIES}/{policy.id}"
    refused = post(client, f"{url}/delete", on=url)
    assert "Platform is used by the alert source Prometheus." in client.get(refused.location).text
    with app.app_context():
        db.session.get_one(AlertSource, source.id).escalation_policy_id = None
        db.session.commit()
    assert post(client, f"{url}/delete", on=url).location == POLICIES
    assert client.get(url).status_code == HTTPStatus.NOT_FOUND


def test_a_source_chooses_its_policy(
    app: Flask, client: FlaskClient, account: Account, uma: User
) -> None:
    with app.app_context():
        policy = make_policy(account, [uma], name="Platform")
        foreign = make_policy(make_account())
    url = "/alert-sources/new"
    fields = {"name": "Prometheus", "type": "api"}
    refused = post(client, url, **fields, escalation_policy_id=str(foreign.id))
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Please choose another." in refused.text
    created = post(client, url, **fields, escalation_policy_id=str(policy.id))
    assert created.status_code == HTTPStatus.FOUND
    edit = client.get(f"{created.location}/edit").text
    assert f'selected value="{policy.id}"' in edit
    with app.app_context():
        source = db.session.scalars(db.select(AlertSource)).one()
        assert source.escalation_policy_id == policy.id


@pytest.mark.parametrize("role", [Role.RESPONDER, Role.STAKEHOLDER])
def test_others_look_at_most(
    app: Flask, client: FlaskClient, account: Account, ada: User, role: Role
) -> None:
    with app.app_context():
        policy = make_policy(account, [ada], name="Platform")
        sign_in(client, make_user(account, role=role))
    may_look = role is Role.RESPONDER
    page = client.get(f"{POLICIES}/{policy.id}")
    assert page.status_code == (HTTPStatus.OK if may_look else HTTPStatus.FORBIDDEN)
    assert "Delete" not in page.text
    for path in (NEW, f"{POLICIES}/{policy.id}/edit"):
        assert client.get(path).status_code == HTTPStatus.FORBIDDEN


def test_another_account_finds_no_such_policy(app: Flask, client: FlaskClient, ada: User) -> None:
    with app.app_context():
        policy = make_policy(ada.account, [ada], name="Platform")
        sign_in(client, make_user(role=Role.ADMIN))
    assert "Platform" not in client.get(POLICIES).text
    for path in ("", "/edit"):
        assert client.get(f"{POLICIES}/{policy.id}{path}").status_code == HTTPStatus.NOT_FOUND
    answer = typed(client, ada)  # a person of the other account as a target
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "can no longer be chosen" in answer.text
    assert "Ada" not in answer.text
