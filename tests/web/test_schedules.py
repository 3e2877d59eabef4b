"""Can people see who is on call, and change it, on the pages of schedules?"""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar
from werkzeug.test import TestResponse

from portal.db import db
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Role
from portal.domain.oncall import queries
from portal.domain.oncall.models import Override, Schedule, ScheduleVersion, StaticShift
from tests.make import (
    make_account,
    make_override,
    make_policy,
    make_schedule,
    make_static_schedule,
    make_user,
    sign_in,
)
from tests.web.pages import post, text_of

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)  # a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SCHEDULES = "/schedules"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def account(app: Flask) -> Account:
    with app.app_context():
        return make_account("Acme")


@pytest.fixture
def uma(app: Flask, client: FlaskClient, account: Account) -> User:
    """The person who is signed in: a user."""
    with app.app_context():
        person = make_user(account, role=Role.USER, name="Uma")
    sign_in(client, person)
    return person


@pytest.fixture
def ada(app: Flask, account: Account) -> User:
    with app.app_context():
        return make_user(account, name="Ada")


@pytest.fixture
def bob(app: Flask, account: Account) -> User:
    with app.app_context():
        return make_user(account, name="Bob")


@pytest.fixture
def platform(app: Flask, ada: User, bob: User, uma: User) -> Schedule:
    """Ada and Bob take turns, from Monday to Monday at midnight in Berlin."""
    with app.app_context():
        return make_schedule(ada, bob, name="Platform", time_zone="Europe/Berlin")


def on_call(app: Flask, schedule: Schedule, moment: datetime) -> int | None:
    with app.app_context():
        return queries.on_call_now([schedule.id], moment)[schedule.id]


def act(client: FlaskClient, schedule: Schedule, deed: str, **fields: str) -> TestResponse:
    return post(client, f"{SCHEDULES}/{schedule.id}/{deed}", on=SCHEDULES, **fields)


def layer(person: User, **changes: str) -> dict[str, str]:
    """The editor's form with one layer of one person."""
    return {
        "name": "Database",
        "time_zone": "Europe/Berlin",
        "shows_gaps": "1",
        "layers": "1",
        "layer-0-starts_on": "2026-06-01T09:00",
        "layer-0-every": "2",
        "layer-0-unit": "days",
        "layer-0-person": str(person.id),
        **changes,
    }


def test_an_empty_list_says_what_will_be_here(client: FlaskClient, uma: User) -> None:
    assert "Schedules will be here" in text_of(client.get(SCHEDULES))


def test_the_list_names_people_and_nobody(
    app: Flask, client: FlaskClient, platform: Schedule, account: Account
) -> None:
    with app.app_context():
        make_static_schedule(account, name="Release")
    said = text_of(client.get(SCHEDULES))
    assert re.search(r"Platform (Ada|Bob) (Ada|Bob) ", said)
    assert "Release Nobody no change in sight" in said


def test_a_schedule_says_who_draws_weeks_and_repeats_them_as_a_table(
    app: Flask, client: FlaskClient, platform: Schedule, ada: User, bob: User
) -> None:
    answer = client.get(f"{SCHEDULES}/{platform.id}")
    now = on_call(app, platform, NOON)
    name = {ada.id: "Ada", bob.id: "Bob"}[now or 0]
    assert f"{name} is on call; then" in text_of(answer)
    assert answer.text.count('class="calendar-week"') == 2
    assert f"{name} Mon 1 Jun, 14:00 Mon 8 Jun, 00:00 layer 1" in text_of(answer)
    assert "Nobody" not in text_of(answer)  # before it was made it had no gaps either


@pytest.mark.parametrize(
    ("query", "weeks", "heading"),
    [
        ("span=week", 1, "1 Jun – 7 Jun 2026"),
        ("span=month&day=2026-02-10", 5, "26 Jan – 1 Mar 2026"),
        ("span=month&day=2027-02-28", 4, "1 Feb – 28 Feb 2027"),
        ("day=2026-12-31", 2, "28 Dec – 10 Jan 2027"),
        ("day=nonsense&span=century&zone=moon", 2, "1 Jun – 14 Jun 2026"),
        ("day=0001-01-01", 2, "3 Jan – 16 Jan 2000"),
        ("day=9999-12-31&span=month", 5, "30 Nov – 3 Jan 2100"),
    ],
)
def test_any_range_can_be_shown(
    client: FlaskClient, platform: Schedule, query: str, weeks: int, heading: str
) -> None:
    answer = client.get(f"{SCHEDULES}/{platform.id}?{query}")
    assert answer.status_code == HTTPStatus.OK
    assert answer.text.count('class="calendar-week"') == weeks
    assert heading in text_of(answer)


@pytest.mark.parametrize("span", ["week", "fortnight", "month"])
def test_earlier_and_later_lead_through_all_weeks_and_back(
    client: FlaskClient, platform: Schedule, span: str
) -> None:
    def follow(page: str, label: str) -> str:
        found = re.search(
            rf'<a class="btn btn-small" href="([^"]+)"[^>]*aria-label="{label}"', page
        )
        assert found
        return client.get(found[1].replace("&amp;", "&")).text

    def heading(page: str) -> str:
        found = re.search(r'id="calendar-title"[^>]*>([^<]+)<', page)
        assert found
        return found[1]

    page = client.get(f"{SCHEDULES}/{platform.id}?span={span}").text
    seen = [heading(page)]
    for _ in range(14):
        page = follow(page, "Later")
        seen.append(heading(page))
    assert len(set(seen)) == 15
    for expected in reversed(seen[:-1]):
        page = follow(page, "Earlier")
        assert heading(page) == expected


def test_times_are_shown_in_ones_own_zone_on_request(
    app: Flask, client: FlaskClient, platform: Schedule
) -> None:
    page = text_of(client.get(f"{SCHEDULES}/{platform.id}?zone=mine"))
    assert "All times in UTC." in page
    assert "Sun 7 Jun, 22:00" in page
    assert "Show in Europe/Berlin" in page


def test_clock_changes_are_drawn_to_scale(client: FlaskClient, platform: Schedule) -> None:
    """The week in which Berlin's clocks go forward has 167 hours, its Sunday 23."""
    answer = client.get(f"{SCHEDULES}/{platform.id}?span=week&day=2027-03-22")
    assert "Clocks change on Sun 28 Mar: it has 23 hours." in text_of(answer)
    page = answer.text
    widths = re.findall(r'<svg x="[\d.]+%" width="([\d.]+)%" height="20">', page)
    hours = [round(float(width) * 1.67, 1) for width in widths]
    assert hours == [24, 24, 24, 24, 24, 24, 23]


def test_who_is_absent_and_what_is_a_gap_is_said(
    app: Flask, client: FlaskClient, platform: Schedule, account: Account
) -> None:
    with app.app_context():
        for name in ("Ada", "Bob"):
            person = db.session.scalars(db.select(User).where(User.name == name)).one()
            person.role = Role.STAKEHOLDER
        db.session.commit()
    page = text_of(client.get(f"{SCHEDULES}/{platform.id}"))
    assert "Nobody is on call" in page
    assert "Ada, Bob cannot be on call any more" in page


def test_an_override_is_entered_and_removed_in_place(
    app: Flask, client: FlaskClient, platform: Schedule, uma: User
) -> None:
    token = re.search(r'"X-CSRFToken":"([^"]+)"', client.get(SCHEDULES).text)
    assert token
    url = f"{SCHEDULES}/{platform.id}/overrides?span=week"
    form = {
        "csrf_token": token[1],
        "user_id": uma.id,
        "starts_at": "",
        "ends_at": "2026-06-01T18:00",
    }
    entered = client.post(url, data=form, headers=HTMX)
    assert entered.text.lstrip().startswith('<div id="schedule-board">')
    assert "The override is entered." in text_of(entered)
    assert entered.text.count('class="calendar-week"') == 1
    assert on_call(app, platform, NOON) == uma.id
    assert on_call(app, platform, NOON + 4 * HOUR) != uma.id  # 18:00 in Berlin
    with app.app_context():
        override = db.session.scalars(db.select(Override.id)).one()
    removed = act(client, platform, f"overrides/{override}/remove")
    assert removed.status_code == HTTPStatus.SEE_OTHER
    assert on_call(app, platform, NOON) != uma.id


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"user_id": ""}, "choose a person"),
        ({"user_id": "nobody"}, "choose a person"),
        ({"user_id": "9" * 30}, "choose a person"),
        ({"ends_at": ""}, "give a date and a time"),
        ({"ends_at": "tomorrow"}, "give a date and a time"),
        ({"ends_at": "2026-06-01T10:00"}, "after the start"),
        ({"starts_at": "2026-05-01T10:00"}, "lies in the past"),
        ({"starts_at": "0001-01-01T10:00"}, "from 2000 to 2099"),
        ({"ends_at": "2099-01-01T00:00"}, "at most a year"),
    ],
)
def test_a_bad_override_is_explained_and_kept(
    app: Flask,
    client: FlaskClient,
    platform: Schedule,
    uma: User,
    changes: dict[str, str],
    words: str,
) -> None:
    form = {
        "user_id": str(uma.id),
        "starts_at": "2026-06-02T10:00",
        "ends_at": "2026-06-03T10:00",
        **changes,
    }
    answer = act(client, platform, "overrides", **form)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert words in text_of(answer)
    assert 'aria-invalid="true"' in answer.text
    assert f'name="ends_at" value="{form["ends_at"]}"' in answer.text
    with app.app_context():
        assert db.session.scalars(db.select(Override)).all() == []


def test_responders_are_offered_only_themselves(
    app: Flask, client: FlaskClient, platform: Schedule, ada: User, bob: User
) -> None:
    sign_in(client, ada)
    page = client.get(f"{SCHEDULES}/{platform.id}").text
    assert f'<option value="{bob.id}"' not in page
    refused = act(client, platform, "overrides", user_id=str(bob.id), ends_at="2026-06-02T10:00")
    assert refused.status_code == HTTPStatus.FORBIDDEN
    for path in ("new", f"{platform.id}/edit", f"{platform.id}/swap", "hand-over"):
        assert client.get(f"{SCHEDULES}/{path}").status_code == HTTPStatus.FORBIDDEN


def test_shifts_of_a_static_schedule_come_and_go(
    app: Flask, client: FlaskClient, uma: User, ada: User, account: Account
) -> None:
    with app.app_context():
        release = make_static_schedule(account, name="Release")
    form = {"user_id": str(ada.id), "starts_at": "", "ends_at": "2026-06-02T12:00"}
    assert act(client, release, "shifts", **form).status_code == HTTPStatus.SEE_OTHER
    assert on_call(app, release, NOON) == ada.id
    overlap = act(client, release, "shifts", **form)
    assert "Ada has a shift in this time" in text_of(overlap)
    with app.app_context():
        shift = db.session.scalars(db.select(StaticShift.id)).one()
    act(client, release, f"shifts/{shift}/remove")
    assert on_call(app, release, NOON) is None


def test_a_new_schedule_is_made_in_the_editor(app: Flask, client: FlaskClient, uma: User) -> None:
    assert 'value="2026-06-01T09:00"' in client.get(f"{SCHEDULES}/new").text
    created = post(client, f"{SCHEDULES}/new", **layer(uma))
    assert created.status_code == HTTPStatus.SEE_OTHER
    with app.app_context():
        schedule = db.session.scalars(db.select(Schedule)).one()
        (kept,) = queries.newest_layers(schedule.id)
    assert (kept.rotation.days, kept.people) == (2, (uma.id,))
    assert f'value="{kept.starts_on:%Y-%m-%dT%H:%M}"' in client.get(created.location + "/edit").text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "1 to 80 characters"),
        ({"name": "Platform"}, "already a schedule"),
        ({"name": "platFORM"}, "already a schedule"),
        ({"time_zone": "Mars"}, "choose a time zone"),
        ({"layers": "0"}, "1 to 10 layers"),
        ({"layers": "none"}, "1 to 10 layers"),
        ({"layer-0-person": ""}, "at least one person"),
        ({"layer-0-person": "999999"}, "cannot be on call"),
        ({"layer-0-starts_on": ""}, "a date and a time"),
        ({"layer-0-starts_on": "Monday"}, "a date and a time"),
        ({"layer-0-ends_on": "2026-01-01T00:00"}, "after the start"),
        ({"layer-0-every": "0"}, "a whole number"),
        ({"layer-0-every": "1.5"}, "a whole number"),
        ({"layer-0-every": "99999"}, "a whole number"),
        ({"layer-0-unit": "fortnights"}, "a whole number"),
        (
            {
                "layer-0-start_day": "0",
                "layer-0-start": "09:00",
                "layer-0-end_day": "",
                "layer-0-end": "10:00",
            },
            "two weekdays",
        ),
        (
            {
                "layer-0-start_day": "",
                "layer-0-start": "",
                "layer-0-end_day": "",
                "layer-0-end": "10:00",
            },
            "give both times",
        ),
        (
            {
                "layer-0-start_day": "",
                "layer-0-start": "09:00+02:00",
                "layer-0-end_day": "",
                "layer-0-end": "10:00",
            },
            "give both times",
        ),
        ({"layer-0-person": "9" * 5000}, "at least one person"),
    ],
)
def test_a_bad_schedule_is_explained_and_kept(
    app: Flask,
    client: FlaskClient,
    platform: Schedule,
    uma: User,
    changes: dict[str, str],
    words: str,
) -> None:
    form = layer(uma, **{"layer-0-name": "Primary of Uma", **changes})
    answer = post(client, f"{SCHEDULES}/new", **form)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert words in text_of(answer)
    if form["layers"] == "1":
        assert 'value="Primary of Uma"' in answer.text
    preview = post(client, f"{SCHEDULES}/preview", on=SCHEDULES, **form)
    assert preview.status_code == HTTPStatus.OK
    with app.app_context():
        assert db.session.scalars(db.select(Schedule.name)).all() == ["Platform"]


def test_a_name_that_another_schedule_has_is_refused_when_renaming_and_what_was_typed_stays(
    app: Flask, client: FlaskClient, platform: Schedule, uma: User, account: Account
) -> None:
    with app.app_context():
        make_static_schedule(account, name="Release")
    form = layer(uma, name="release", **{"layer-0-name": "Primary of Uma"})
    answer = post(client, f"{SCHEDULES}/{platform.id}/edit", **form)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "already a schedule" in text_of(answer)
    assert 'value="Primary of Uma"' in answer.text
    with app.app_context():
        assert db.session.get_one(Schedule, platform.id).name == "Platform"


def test_too_many_restrictions_are_said_at_them(client: FlaskClient, uma: User) -> None:
    form: dict[str, object] = {**layer(uma)}
    for name, value in (("start_day", ""), ("start", "09:00"), ("end_day", ""), ("end", "10:00")):
        form[f"layer-0-{name}"] = [value] * 21
    answer = post(client, f"{SCHEDULES}/new", **form)  # type: ignore[arg-type]
    assert "A layer has at most 20 restrictions." in text_of(answer)


def test_the_editor_is_reshaped_by_its_buttons(
    app: Flask, client: FlaskClient, uma: User, ada: User
) -> None:
    def press(do: str, **changes: str) -> str:
        form = layer(uma, **changes)
        return post(client, f"{SCHEDULES}/editor", on=SCHEDULES, do=do, **form).text

    assert press("layer-add").count("<fieldset") == 2
    assert press("layer-0-remove").count("<fieldset") == 0
    assert press("layer-0-person-add").count('name="layer-0-person"') == 2
    assert press("layer-0-person-0-remove").count('name="layer-0-person"') == 0
    assert press("layer-0-limit-add").count('name="layer-0-start"') == 1
    for nonsense in ("", "layer-7-up", "layer-0-person-99-up", "layer-0-up", "everything"):
        assert press(nonsense, **{"layer-0-name": "Kept"}).count('value="Kept"') == 1


def test_layers_and_people_move_up_and_down(client: FlaskClient, uma: User, ada: User) -> None:
    url = f"{SCHEDULES}/editor"
    found = re.search(r'"X-CSRFToken":"([^"]+)"', client.get(SCHEDULES).text)
    assert found
    two = {
        **layer(uma, layers="2"),
        "layer-0-person": [str(uma.id), str(ada.id)],
        "layer-1-name": "Second",
        "csrf_token": found[1],
    }
    people = client.post(url, data={**two, "do": "layer-0-person-1-up"}).text
    chosen = re.findall(r'<option value="(\d+)" selected>', people)
    assert chosen[:2] == [str(ada.id), str(uma.id)]
    layers = client.post(url, data={**two, "do": "layer-1-up"}).text
    assert 'name="layer-0-name" value="Second"' in layers


def test_the_preview_shows_four_weeks_and_their_gaps(client: FlaskClient, uma: User) -> None:
    limited = {
        "layer-0-start_day": "",
        "layer-0-start": "09:00",
        "layer-0-end_day": "",
        "layer-0-end": "17:00",
    }
    whole = post(client, f"{SCHEDULES}/preview", on=SCHEDULES, **layer(uma))
    assert "Somebody is on call at every moment." in text_of(whole)
    assert "Uma" in text_of(whole)
    gaps = post(client, f"{SCHEDULES}/preview", on=SCHEDULES, **layer(uma, **limited))
    assert "Nobody is on call in 28 gaps: Mon 1 Jun, 17:00 – Tue 2 Jun, 09:00" in text_of(gaps)
    waits = post(client, f"{SCHEDULES}/preview", on=SCHEDULES, **layer(uma, time_zone="Mars"))
    assert "The preview waits: Please choose a time zone" in text_of(waits)


def test_gaps_are_asked_for_once(app: Flask, client: FlaskClient, uma: User) -> None:
    ends = {"layer-0-ends_on": "2026-06-09T09:00"}
    asked = post(client, f"{SCHEDULES}/new", **layer(uma, **ends))
    assert asked.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "There are times when nobody is on call" in text_of(asked)
    assert 'value="2026-06-09T09:00"' in asked.text
    saved = post(client, f"{SCHEDULES}/new", **layer(uma, accepts_gaps="1", **ends))
    assert saved.status_code == HTTPStatus.SEE_OTHER
    silent = {**layer(uma, name="Quiet", **ends), "shows_gaps": ""}
    assert post(client, f"{SCHEDULES}/new", **silent).status_code == HTTPStatus.SEE_OTHER


def test_an_edit_holds_from_the_moment_that_was_chosen(
    app: Flask, client: FlaskClient, platform: Schedule, uma: User
) -> None:
    before = on_call(app, platform, NOON)
    form = layer(
        uma,
        name="Platform",
        valid_from="2026-06-03T00:00",
        **{"layer-0-starts_on": "2026-01-05T00:00"},
    )
    url = f"{SCHEDULES}/{platform.id}/edit"
    assert post(client, url, **form).status_code == HTTPStatus.SEE_OTHER
    assert on_call(app, platform, NOON) == before
    assert on_call(app, platform, NOON + 2 * DAY) == uma.id
    assert "A change is planned already" in text_of(client.get(url))
    past = post(client, url, **{**form, "valid_from": "2026-05-03T00:00"})
    assert past.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Past shifts never change" in text_of(past)
    with app.app_context():
        assert len(db.session.scalars(db.select(ScheduleVersion)).all()) == 2


def test_a_schedule_is_deleted(app: Flask, client: FlaskClient, platform: Schedule) -> None:
    act(client, platform, "delete")
    assert "Platform is deleted." in text_of(client.get(SCHEDULES))
    assert client.get(f"{SCHEDULES}/{platform.id}").status_code == HTTPStatus.NOT_FOUND


def test_a_schedule_that_a_policy_asks_stays_and_its_page_says_why(
    app: Flask, client: FlaskClient, platform: Schedule
) -> None:
    with app.app_context():
        schedule = db.session.get_one(Schedule, platform.id)
        make_policy(schedule.account, [schedule])
    assert act(client, platform, "delete").location == f"{SCHEDULES}/{platform.id}"
    assert "still used by an escalation policy" in text_of(client.get(f"{SCHEDULES}/{platform.id}"))


def test_taking_shows_first_and_stores_on_the_second_press(
    app: Flask, client: FlaskClient, platform: Schedule, ada: User, uma: User
) -> None:
    url = f"{SCHEDULES}/{platform.id}/take"
    wanted = f"{url}?of={ada.id}&starts_at=&ends_at=2026-06-20T00:00"
    shown = client.get(wanted)
    assert "These overrides will be entered Schedule" not in text_of(shown)
    assert "These overrides will be entered" in text_of(shown)
    with app.app_context():
        assert db.session.scalars(db.select(Override)).all() == []
    carried = dict(
        re.findall(r'<input type="hidden" name="(of|start|end)" value="([^"]+)"', shown.text)
    )
    taken = post(client, url, on=SCHEDULES, **carried)
    assert taken.status_code == HTTPStatus.SEE_OTHER
    with app.app_context():
        assert {one.user_id for one in db.session.scalars(db.select(Override))} == {uma.id}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("of=&ends_at=2026-06-20T00:00", "they are not on call"),
        ("of=1&ends_at=", "give a date and a time"),
        ("of=1&ends_at=2026-01-01T00:00", "after the start"),
        ("of=1&ends_at=2099-01-01T00:00", "at most a year"),
        ("of=1&start=yesterday&end=now", "not complete"),
        ("of=1&start=2026-06-01T00:00&end=2026-06-02T00:00", "not complete"),
    ],
)
def test_a_take_that_does_not_fit_is_explained(
    client: FlaskClient, platform: Schedule, query: str, words: str
) -> None:
    answer = client.get(f"{SCHEDULES}/{platform.id}/take?{query}")
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert words in text_of(answer)


def test_shifts_are_swapped(
    app: Flask, client: FlaskClient, platform: Schedule, ada: User, bob: User
) -> None:
    url = f"{SCHEDULES}/{platform.id}/swap"
    before = [on_call(app, platform, NOON + week * 7 * DAY) for week in range(3)]
    options = re.findall(r'<option value="([^"]+\|[^"]+)"', client.get(url).text)
    one, other = options[1], options[2]
    shown = client.get(url, query_string={"one": one, "other": other})
    assert "Swap these shifts" in text_of(shown)
    post(client, url, on=SCHEDULES, one=one, other=other)
    after = [on_call(app, platform, NOON + week * 7 * DAY) for week in range(3)]
    assert after == [before[0], before[2], before[1]]
    again = client.get(url, query_string={"one": one, "other": one})
    assert "shifts of two people" in text_of(again)
    nonsense = client.get(url, query_string={"one": "1|2", "other": "x"})
    assert "Please choose a shift." in text_of(nonsense)
    endless = post(
        client, url, on=SCHEDULES, one=f"{'9' * 5000}|{one.split('|', 1)[1]}", other=other
    )
    assert endless.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    shifts = {"to": str(bob.id), "start": NOON.isoformat(), "end": (NOON + DAY).isoformat()}
    none = post(client, f"{SCHEDULES}/hand-over", on=SCHEDULES, schedule="9" * 5000, **shifts)
    assert none.status_code == HTTPStatus.CONFLICT


def test_my_shifts_are_listed_and_handed_over(
    app: Flask, client: FlaskClient, clock: time_machine.Traveller, uma: User, bob: User
) -> None:
    assert "You are not on call" in text_of(client.get("/my-shifts"))
    with app.app_context():
        mine = make_schedule(uma, name="Network")
    assert "Network Mon 1 Jun, 12:00" in text_of(client.get("/my-shifts"))
    url = f"{SCHEDULES}/hand-over"
    query = {"to": bob.id, "schedule": mine.id, "ends_at": "2026-06-02T12:00"}
    shown = client.get(url, query_string=query)
    assert "Bob Mon 1 Jun, 12:00 Tue 2 Jun, 12:00 Network" in text_of(shown)
    carried = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', shown.text))
    del carried["csrf_token"]
    clock.shift(timedelta(minutes=5))  # while they read
    post(client, url, on=SCHEDULES, **carried)
    assert on_call(app, mine, NOON + HOUR) == bob.id
    for bad, words in (({"to": ""}, "choose who"), ({"schedule": ""}, "not on call")):
        refused = client.get(url, query_string={**query, **bad})
        assert words in text_of(refused)


def link_on(page: str) -> str:
    found = re.search(r'data-copy="http://localhost([^"]+\.ics)"', page)
    assert found
    return found[1]


def test_a_schedules_calendar_is_read_without_signing_in(
    app: Flask, client: FlaskClient, platform: Schedule
) -> None:
    made = act(client, platform, "calendar-link")
    shown = client.get(made.location)
    address = link_on(shown.text)
    assert shown.headers["Cache-Control"] == "no-store"
    assert address not in client.get(made.location).text
    feed = app.test_client().get(address)
    assert feed.mimetype == "text/calendar"
    names = {str(event["summary"]) for event in Calendar.from_ical(feed.data).walk("VEVENT")}
    assert names == {"Ada on call: Platform", "Bob on call: Platform"}
    act(client, platform, "calendar-link/revoke")
    assert app.test_client().get(address).status_code == HTTPStatus.NOT_FOUND


def test_my_own_calendar_has_only_my_shifts(
    app: Flask, client: FlaskClient, ada: User, platform: Schedule
) -> None:
    sign_in(client, ada)
    made = post(client, "/my-shifts/calendar-link", on=SCHEDULES)
    address = link_on(client.get(made.location).text)
    events = Calendar.from_ical(app.test_client().get(address).data).walk("VEVENT")
    assert {str(event["summary"]) for event in events} == {"On call: Platform"}
    post(client, "/my-shifts/calendar-link/revoke", on=SCHEDULES)
    assert app.test_client().get(address).status_code == HTTPStatus.NOT_FOUND


EVENTS = """BEGIN:VCALENDAR
BEGIN:VEVENT
UID:1
SUMMARY:Bob helps out
DTSTART;TZID=Europe/Berlin:20260610T090000
DURATION:PT8H
RRULE:FREQ=DAILY;COUNT=2
END:VEVENT
BEGIN:VEVENT
UID:2
SUMMARY:Somebody
DTSTART:20260612T090000Z
DURATION:PT1H
END:VEVENT
END:VCALENDAR
"""


def test_a_day_of_another_year_says_so(client: FlaskClient, platform: Schedule, bob: User) -> None:
    times = {"starts_at": "2026-12-31T22:00", "ends_at": "2027-01-01T06:00"}
    act(client, platform, "overrides", user_id=str(bob.id), **times)
    shown = text_of(client.get(f"{SCHEDULES}/{platform.id}"))
    assert "Bob Thu 31 Dec, 22:00 – Fri 1 Jan 2027, 06:00" in shown


@pytest.mark.parametrize("way", ["pasted", "uploaded"])
def test_overrides_are_imported_after_a_preview(
    app: Flask, client: FlaskClient, platform: Schedule, bob: User, way: str
) -> None:
    url = f"{SCHEDULES}/{platform.id}/import"
    token = re.search(r'"X-CSRFToken":"([^"]+)"', client.get(url).text)
    assert token
    given: dict[str, object] = {"calendar": EVENTS}
    if way == "uploaded":
        given = {"file": (io.BytesIO(EVENTS.encode()), "shifts.ics")}
    preview = client.post(url, data={"csrf_token": token[1], **given})
    assert "2 of 3 events can be entered" in text_of(preview)
    assert "Somebody Left out. It names nobody of your account." in text_of(preview)
    with app.app_context():
        assert db.session.scalars(db.select(Override)).all() == []
    kept = re.search(r"<textarea[^>]*>(.*?)</textarea>", preview.text, re.DOTALL)
    assert kept
    stored = post(client, url, calendar=kept[1], confirm="1")
    assert stored.status_code == HTTPStatus.SEE_OTHER
    with app.app_context():
        found = db.session.scalars(db.select(Override).order_by(Override.starts_at)).all()
        assert [(one.user_id, one.starts_at.hour) for one in found] == [(bob.id, 7), (bob.id, 7)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "choose a file"),
        ("https://example.com/shifts.ics", "not a calendar"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR", "No event of this calendar"),
    ],
)
def test_what_is_no_calendar_is_kept_and_explained(
    client: FlaskClient, platform: Schedule, text: str, words: str
) -> None:
    answer = post(client, f"{SCHEDULES}/{platform.id}/import", calendar=text)
    assert words in text_of(answer)
    assert text in answer.text


def test_another_account_finds_no_such_schedule(
    app: Flask, client: FlaskClient, platform: Schedule, ada: User
) -> None:
    with app.app_context():
        override = make_override(platform, ada, NOON + HOUR, NOON + 2 * HOUR)
        stranger = make_user(role=Role.ADMIN)
    sign_in(client, stranger)
    assert "Platform" not in text_of(client.get(SCHEDULES))
    for page in ("", "/edit", "/take", "/swap", "/import"):
        found = client.get(f"{SCHEDULES}/{platform.id}{page}")
        assert found.status_code == HTTPStatus.NOT_FOUND, page
    for deed in ("overrides", "delete", "calendar-link", f"overrides/{override.id}/remove"):
        refused = act(client, platform, deed, user_id=str(stranger.id), ends_at="2026-06-02T10:00")
        assert refused.status_code == HTTPStatus.NOT_FOUND, deed
    foreign = layer(ada, name="Mine")
    created = post(client, f"{SCHEDULES}/new", **foreign)
    assert "cannot be on call" in text_of(created)
