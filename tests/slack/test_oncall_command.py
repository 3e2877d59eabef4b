"""Does `/il-oncall` tell the right people who is on call, at once, and nobody else anything?"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from portal.db import db, now
from portal.domain.accounts import operations as accounts
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Role
from portal.domain.escalation.models import EscalationPolicy
from portal.domain.oncall.models import Schedule
from portal.domain.slack_sources import operations as slack_sources
from portal.domain.slack_sources.operations import Draft, Offer
from portal.slack import linking, profiles
from portal.slack.messages.oncall import when
from portal.slack.profiles import Kind, SlackProfile
from tests.make import (
    make_account,
    make_override,
    make_policy,
    make_schedule,
    make_source,
    make_static_schedule,
    make_user,
)
from tests.slack.conftest import Story
from tests.slack.signed import FORM, interaction, signed

OPS, DB, ALERTS = "C0OPS", "C0DB", "C0ALERTS"


@pytest.fixture
def people(story: Story) -> dict[str, User]:
    """Acme's people, with the workspace linked."""
    cast = story.people()
    story.link(cast["olivia"])
    return cast


def acme(story: Story, people: dict[str, User]) -> Account:
    account = people["olivia"].account
    assert account is not None
    return account


def policy(
    story: Story, people: dict[str, User], name: str, *levels: list[User | Schedule]
) -> EscalationPolicy:
    with story.app.app_context():
        return make_policy(acme(story, people), *(levels or ([people["ada"]],)), name=name)


def open_channel(
    story: Story,
    people: dict[str, User],
    *offers: Offer,
    channel: str = OPS,
    shows_phone: bool = False,
    anyone_may_ask: bool = True,
) -> None:
    """A Slack alert source lets everybody in the channel ask."""
    with story.app.app_context():
        source, _ = make_source(acme(story, people), type="slack")
        draft = Draft({channel: "ops"}, offers, "", anyone_may_ask, shows_phone)
        slack_sources.save(source.id, draft, by=db.session.merge(people["olivia"], load=False))


def ask(story: Story, user_id: str, text: str = "", channel: str = OPS) -> dict[str, Any]:
    """What the person sees at once."""
    delivery = story.sandbox.command("T0ACME", channel, user_id, "/il-oncall", text)
    assert delivery.status == 200
    assert delivery.verdict == "ok"
    return seen(story, user_id, channel)[-1]


def seen(story: Story, user_id: str, channel: str = OPS) -> list[dict[str, Any]]:
    shown = story.sandbox.messages(channel, as_user=user_id)
    return [message for message in shown if message["is_ephemeral"]]


def words(message: dict[str, Any]) -> str:
    """All that stands in it."""

    def texts(part: Any) -> Iterator[str]:
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            yield part["text"]
        inside = part.values() if isinstance(part, dict) else part
        for each in inside if isinstance(part, dict | list) else ():
            yield from texts(each)

    return "\n".join([message["text"], *texts(message["blocks"])])


def choose(story: Story, user_id: str, value: str, channel: str = OPS) -> dict[str, Any]:
    """Choose in the search field of the newest message."""
    ts = seen(story, user_id, channel)[-1]["ts"]
    story.sandbox.choose(channel, ts, "oncall_choose", user_id, value)
    story.work()
    return seen(story, user_id, channel)[-1]


def press(story: Story, user_id: str, action_id: str, channel: str = OPS) -> None:
    ts = seen(story, user_id, channel)[-1]["ts"]
    story.sandbox.click(user_id=user_id, channel_id=channel, ts=ts, action_id=action_id)
    story.work()


def suggest(story: Story, user_id: str, typed: str = "") -> list[str]:
    ts = seen(story, user_id)[-1]["ts"]
    found = story.sandbox.suggest(user_id, "oncall_choose", typed, OPS, ts)
    return [each["text"]["text"] for each in found]


@contextmanager
def slack_hangs(story: Story) -> Iterator[None]:
    story.sandbox.add_fault(effect="hang", seconds=10, method="*")
    before, calls = time.monotonic(), len(story.sandbox.requests())
    yield
    assert time.monotonic() - before < 3
    assert len(story.sandbox.requests()) == calls  # nobody asked Slack within the request
    story.sandbox.clear_faults()


# Mode 1: people with an account, in any channel


def test_a_mapped_person_searches_chooses_changes_and_cancels(
    story: Story, people: dict[str, User]
) -> None:
    with story.app.app_context():
        source, _ = make_source(acme(story, people), name="Shop")
        make_policy(acme(story, people), [people["ada"]], name="Platform", source=source)
    assert "Choose an escalation policy or an alert source" in words(ask(story, "U0UMA"))
    assert suggest(story, "U0UMA") == ["Platform", "Shop"]
    assert suggest(story, "U0UMA", "PLAT") == ["Platform"]
    assert suggest(story, "U0UMA", "nothing") == []
    (value,) = [
        each["value"]
        for each in story.sandbox.suggest(
            "U0UMA", "oncall_choose", "Platform", OPS, seen(story, "U0UMA")[-1]["ts"]
        )
    ]
    answer = words(choose(story, "U0UMA", value))
    assert "On call for Platform: Ada" in answer
    assert "• <@U0ADA> (always on-call)" in answer
    press(story, "U0UMA", "oncall_change")
    assert "Choose an escalation policy" in words(seen(story, "U0UMA")[-1])
    assert len(seen(story, "U0UMA")) == 1  # replaced each time
    press(story, "U0UMA", "oncall_cancel")
    assert seen(story, "U0UMA") == []
    assert seen(story, "U0ADA") == []
    assert story.sandbox.violations() == []


def test_a_source_is_answered_with_its_policy(story: Story, people: dict[str, User]) -> None:
    with story.app.app_context():
        source, _ = make_source(acme(story, people), name="Shop")
        make_policy(acme(story, people), [people["ada"]], name="Platform", source=source)
        make_source(acme(story, people), name="Lonely")
    answer = words(ask(story, "U0UMA", "shop"))
    assert "|Shop>*, by <" in answer
    assert "|Platform>" in answer
    assert "<@U0ADA>" in answer
    assert "Nobody is on call for *Lonely*" in words(ask(story, "U0UMA", "Lonely"))


def test_what_stands_behind_the_command_is_the_search(
    story: Story, people: dict[str, User]
) -> None:
    for name in ("Data", "Data platform", "R&D <eu>"):
        policy(story, people, name)
    assert "On call for Data: Ada" in words(ask(story, "U0UMA", "data"))  # exactly that one
    assert "On call for Data platform" in words(ask(story, "U0UMA", "PLATF"))
    assert "On call for R&amp;D &lt;eu&gt;" in words(ask(story, "U0UMA", "r&d <EU>"))
    several = ask(story, "U0UMA", "dat")
    assert "2 fit “dat”" in several["text"]
    assert "Data platform" in str(several["blocks"])
    none = words(ask(story, "U0UMA", "xyz <!channel>"))
    assert "Nothing that you may see fits" in none
    assert "<!channel>" not in none
    help_text = ask(story, "U0UMA", "help")["text"]
    assert "/il-oncall database" in help_text
    assert story.sandbox.violations() == []


def test_until_when_is_said_in_the_askers_own_time_zone(
    story: Story, people: dict[str, User]
) -> None:
    end = (now() + timedelta(days=3)).replace(minute=0, second=0, microsecond=0)
    with story.app.app_context():
        rota = make_static_schedule(acme(story, people))
        make_override(rota, people["ada"], now() - timedelta(hours=1), end)
    policy(story, people, "Platform", [rota])
    answer = words(ask(story, "U0UMA", "Platform"))
    assert f"(Until {when(end, 'Asia/Tokyo', now())})" in answer
    assert "Times are in Asia/Tokyo" in answer


@pytest.mark.parametrize(
    ("moment", "zone", "said"),
    [
        ("2026-08-18T14:00", "Europe/London", "3:00 PM Tuesday, August 18th"),
        ("2026-08-18T14:00", "Asia/Kolkata", "7:30 PM Tuesday, August 18th"),
        ("2026-12-31T23:30", "Europe/Berlin", "12:30 AM Friday, January 1st, 2027"),
        ("2026-03-11T12:00", "America/New_York", "8:00 AM Wednesday, March 11th"),
        ("2026-03-22T12:00", "UTC", "12:00 PM Sunday, March 22nd"),
    ],
)
def test_moments_are_written_as_people_say_them(moment: str, zone: str, said: str) -> None:
    at = datetime.fromisoformat(f"{moment}+00:00")
    assert when(at, zone, datetime.fromisoformat("2026-06-01T00:00+00:00")) == said


def test_levels_are_told_and_so_is_that_nobody_is_on_call(
    story: Story, people: dict[str, User]
) -> None:
    soon = now() + timedelta(days=1)
    with story.app.app_context():
        empty = make_static_schedule(acme(story, people))
        later = make_static_schedule(acme(story, people))
        make_override(later, people["ada"], soon, soon + timedelta(days=1))
    policy(story, people, "Half", [later], [people["uma"]])
    policy(story, people, "Void", [empty])
    half = words(ask(story, "U0UMA", "Half"))
    told = f"Nobody is on call at level 1. Next: Ada from {when(soon, 'Asia/Tokyo', now())}."
    assert told in half
    assert "Level 2\n• <@U0UMA> (always on-call)" in half
    void = words(ask(story, "U0UMA", "Void"))
    assert "Nobody is on call for *Void*: an alert now would reach nobody." in void


def test_an_unmapped_person_is_refused_where_nothing_is_switched_on(
    story: Story, people: dict[str, User]
) -> None:
    policy(story, people, "Platform")
    open_channel(story, people, Offer(policy(story, people, "Shop").id), anyone_may_ask=False)
    assert "One moment" in ask(story, "U0WALTER")["text"]
    story.work()
    assert "not switched on in this channel" in seen(story, "U0WALTER")[-1]["text"]
    assert "One moment" in ask(story, "U0WALTER", "Platform")["text"]
    story.work()
    assert "not switched on in this channel" in seen(story, "U0WALTER")[-1]["text"]
    assert "Platform" not in str([each.get("blocks") for each in seen(story, "U0WALTER")])


def test_somebody_invited_later_is_recognised_at_the_next_command(
    story: Story, people: dict[str, User]
) -> None:
    policy(story, people, "Platform")
    ask(story, "U0WALTER")
    story.work()
    with story.app.app_context():
        olivia = db.session.merge(people["olivia"], load=False)
        accounts.invite(by=olivia, email="WALTER@acme.example", name="Walter", role=Role.RESPONDER)
    ask(story, "U0WALTER", "Platform")
    story.work()
    assert "<@U0ADA> (always on-call)" in words(seen(story, "U0WALTER")[-1])


def test_a_stakeholder_counts_as_a_person_without_an_account(
    story: Story, people: dict[str, User]
) -> None:
    offered = policy(story, people, "Platform")
    assert "does not show who is on call" in ask(story, "U0STAN")["text"]
    open_channel(story, people, Offer(offered.id))
    answer = ask(story, "U0STAN")
    assert "<@U0ADA>" in words(answer)
    assert "oncall_change" not in str(answer)


def test_nothing_of_another_account_is_offered_or_answered(
    story: Story, people: dict[str, User]
) -> None:
    policy(story, people, "Platform")
    with story.app.app_context():
        other = make_account("Beta")
        foreign = make_policy(other, [make_user(other)], name="Secret plan")
        source, _ = make_source(other, name="Secret source")
    assert "Nothing that you may see" in words(ask(story, "U0UMA", "Secret"))
    assert suggest(story, "U0UMA", "Secret") == []
    payload = {
        "type": "block_actions",
        "api_app_id": "A0TOCSIN",
        "team": {"id": "T0ACME"},
        "user": {"id": "U0UMA", "team_id": "T0ACME"},
        "channel": {"id": OPS},
    }
    for value in (f"policy:{foreign.id}", f"source:{source.id}", "policy:", "x", "policy:²"):
        action = {"action_id": "oncall_choose", "selected_option": {"value": value}}
        assert story.sandbox.deliver(payload={**payload, "actions": [action]}).status == 200
        story.work()
        assert "no longer offered" in words(seen(story, "U0UMA")[-1])
        assert "Secret" not in words(seen(story, "U0UMA")[-1])


def test_options_are_given_to_mapped_people_of_the_workspace_only(
    story: Story, people: dict[str, User]
) -> None:
    policy(story, people, "Platform")

    def offered(user_id: str, team_id: str = "T0ACME", action_id: str = "oncall_choose") -> Any:
        payload = {
            "type": "block_suggestion",
            "api_app_id": "A0TOCSIN",
            "team": {"id": "T0ACME"},
            "user": {"id": user_id, "team_id": team_id},
            "action_id": action_id,
            "value": "",
        }
        answer = story.app.test_client().post("/slack/options", **signed(interaction(payload)))
        return answer.status_code, "Platform" in answer.text

    assert offered("U0UMA") == (200, True)
    assert offered("U0STAN") == (200, False)
    assert offered("U0WALTER") == (200, False)
    assert offered("U0UMA", "T0BETA") == (200, False)
    assert offered("U0UMA", action_id="something_else") == (200, False)


def test_a_hundred_options_are_the_most_and_long_names_are_cut(
    story: Story, people: dict[str, User]
) -> None:
    with story.app.app_context():
        db.session.add_all(
            EscalationPolicy(account_id=acme(story, people).id, name=f"Policy {n:03} {'🔥' * 60}")
            for n in range(130)
        )
        db.session.commit()
        make_source(acme(story, people), name="Shop")
    ask(story, "U0UMA")
    found = suggest(story, "U0UMA")
    assert len(found) == 100
    assert found[-1] == "Shop"
    assert all(len(text.encode("utf-16-le")) <= 150 for text in found)
    assert story.sandbox.violations() == []


# Mode 2: everybody, in the channels of a Slack alert source


def test_anybody_is_answered_at_once_where_it_is_switched_on(
    story: Story, people: dict[str, User]
) -> None:
    one, two = policy(story, people, "Platform"), policy(story, people, "db", [people["uma"]])
    policy(story, people, "Hidden")
    open_channel(story, people, Offer(two.id, "Databases"), Offer(one.id))
    answer = ask(story, "U0WALTER")
    text = words(answer)
    assert text.index("|Databases>") < text.index("|Platform>")  # in the order chosen
    assert "<@U0UMA> (always on-call)" in text
    assert "<@U0ADA> (always on-call)" in text
    assert "Hidden" not in text
    assert "oncall_change" not in str(answer)
    story.work()
    assert len(seen(story, "U0WALTER")) == 1  # nothing more was owed
    assert seen(story, "U0ADA") == []  # to the asker only
    assert story.sandbox.violations() == []


def test_a_mapped_person_may_also_search_from_there(story: Story, people: dict[str, User]) -> None:
    policy(story, people, "Platform", [people["uma"]])
    open_channel(story, people, Offer(policy(story, people, "Shop").id, "The shop"))
    assert "|The shop>" in words(ask(story, "U0ADA"))
    press(story, "U0ADA", "oncall_change")
    assert suggest(story, "U0ADA") != []
    assert "On call for Platform: Uma" in words(ask(story, "U0ADA", "platform"))


def test_an_argument_narrows_what_is_offered_there(story: Story, people: dict[str, User]) -> None:
    policy(story, people, "Hidden")
    offers = [Offer(policy(story, people, name).id) for name in ("Shop", "Platform")]
    open_channel(story, people, *offers)
    text = words(ask(story, "U0WALTER", "shop"))
    assert "|Shop>" in text
    assert "Platform" not in text
    text = words(ask(story, "U0WALTER", "Hidden"))
    assert "Nothing offered here fits" in text
    assert "|Shop>" in text
    assert "|Hidden>" not in text


def test_times_are_in_everybodys_own_zone_until_slack_has_named_it(
    story: Story, people: dict[str, User]
) -> None:
    with story.app.app_context():
        rota = make_schedule(people["ada"], people["uma"])
    open_channel(story, people, Offer(policy(story, people, "Platform", [rota]).id))
    first = words(ask(story, "U0WALTER"))
    assert "<!date^" in first
    assert "your own time zone" in first
    story.work()
    again = words(ask(story, "U0WALTER"))
    assert "<!date^" not in again
    assert "Times are in Europe/Vienna" in again


def phone(story: Story, people: dict[str, User], name: str = "ada") -> str:
    with story.app.app_context():
        accounts.change_phone("+44 20 7946 0958", by=db.session.merge(people[name], load=False))
    return "+442079460958"


def test_phone_numbers_are_shown_where_switched_on_to_members_only(
    story: Story, people: dict[str, User]
) -> None:
    number = phone(story, people)
    offered = Offer(policy(story, people, "Platform").id)
    open_channel(story, people, offered, channel=ALERTS, shows_phone=True)
    assert number in words(ask(story, "U0UMA", channel=ALERTS))
    first = words(ask(story, "U0WALTER", channel=ALERTS))
    assert "<@U0ADA>" in first  # at once
    assert number not in first
    assert "Phone numbers follow" in first
    story.work()
    assert number in words(seen(story, "U0WALTER", ALERTS)[-1])
    assert number in words(ask(story, "U0WALTER", channel=ALERTS))
    for guest in ("U0GUSTAV", "U0SINA"):
        ask(story, guest, channel=ALERTS)
        story.work()
        told = [words(each) for each in seen(story, guest, ALERTS)]
        assert all("<@U0ADA>" in each and number not in each for each in told)


def test_phone_numbers_stay_hidden_elsewhere(story: Story, people: dict[str, User]) -> None:
    number = phone(story, people)
    offered = policy(story, people, "Platform")
    open_channel(story, people, Offer(offered.id), shows_phone=False)
    assert number not in words(ask(story, "U0UMA"))
    assert number not in words(ask(story, "U0UMA", "Platform"))  # mode 1
    assert number not in words(ask(story, "U0WALTER"))
    story.work()
    assert all(number not in words(each) for each in seen(story, "U0WALTER"))


def test_somebody_known_to_be_of_another_workspace_is_refused(
    story: Story, people: dict[str, User]
) -> None:
    open_channel(story, people, Offer(policy(story, people, "Platform").id), shows_phone=True)
    installation = story.installation(acme(story, people))
    assert installation is not None
    with story.app.app_context():
        profiles.note({"id": "U0WALTER", "team_id": "T0BETA", "tz": "UTC"}, installation)
        db.session.commit()
    assert "Only members of Acme" in ask(story, "U0WALTER")["text"]
    with story.app.app_context():
        found = db.session.scalars(
            select(SlackProfile.kind).where(SlackProfile.slack_user_id == "U0WALTER")
        ).one()
    assert found is Kind.OUTSIDER


# Whatever Slack does


def test_both_modes_answer_while_slacks_api_hangs(story: Story, people: dict[str, User]) -> None:
    offered = policy(story, people, "Platform")
    open_channel(story, people, Offer(offered.id), shows_phone=True)
    with slack_hangs(story):
        assert "<@U0ADA>" in words(ask(story, "U0WALTER"))
        assert "<@U0ADA>" in words(ask(story, "U0UMA", "Platform"))
        assert "One moment" in ask(story, "U0WALTER", channel=ALERTS)["text"]


def test_a_slack_that_cannot_say_who_it_is_is_told_to_the_asker(
    story: Story, people: dict[str, User]
) -> None:
    policy(story, people, "Platform")
    story.sandbox.add_fault(effect="server_error", method="users.info", times=1)
    ask(story, "U0WALTER")
    story.work()
    assert "ask again" in seen(story, "U0WALTER")[-1]["text"]
    assert len(seen(story, "U0WALTER")) == 2


def test_a_workspace_that_is_not_linked_is_told_politely(
    story: Story, people: dict[str, User]
) -> None:
    fields = {"team_id": "T0BETA", "user_id": "U0BEA", "command": "/il-oncall", "text": ""}
    body = urlencode({**fields, "api_app_id": "A0TOCSIN"})
    answer = story.app.test_client().post("/slack/commands", **signed(body, FORM))
    assert answer.status_code == 200
    assert "not linked" in answer.get_json()["text"]


def test_what_slack_said_of_people_goes_with_the_link(
    story: Story, people: dict[str, User]
) -> None:
    ask(story, "U0WALTER")
    story.work()
    with story.app.app_context():
        assert (
            db.session.scalar(
                select(SlackProfile.time_zone).where(SlackProfile.slack_user_id == "U0WALTER")
            )
            == "Europe/Vienna"
        )
        linking.unlink(by=db.session.merge(people["olivia"], load=False))
        assert db.session.scalars(select(SlackProfile)).all() == []


def test_a_display_name_with_asterisks_does_not_end_the_bold_heading(
    story: Story, people: dict[str, User]
) -> None:
    open_channel(story, people, Offer(policy(story, people, "Platform").id, "*x*"))
    heading = ask(story, "U0STAN")["blocks"][0]["text"]["text"].splitlines()[0]
    assert heading.count("*") == 2
    assert "|∗x∗>" in heading
