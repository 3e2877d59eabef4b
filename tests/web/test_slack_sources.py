"""Can a Slack alert source be set up by people who may, with clear words and nothing typed lost?"""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Role
from portal.domain.audit.models import AuditEntry
from portal.domain.escalation.models import EscalationPolicy
from portal.domain.slack_sources.models import SlackSource
from portal.domain.sources.models import AlertSource
from portal.slack.conversations import ChannelList
from tests.make import (
    make_account,
    make_installation,
    make_policy,
    make_slack_settings,
    make_source,
    make_user,
    sign_in,
)

CHANNELS = {"C0OPS": "ops", "C0DB": "db", "C0ALERTS": "alerts"}


class Setting:
    """An account with a Slack source, three policies, a known list of channels, and Uma's browser."""

    def __init__(self, app: Flask, client: FlaskClient) -> None:
        self.app, self.client = app, client
        with app.app_context():
            self.account = make_account("Acme")
            self.uma = make_user(self.account, role=Role.USER, name="Uma")
            self.source, _ = make_source(self.account, name="Ask us", type="slack")
            self.policies = [
                make_policy(self.account, [self.uma], name=name) for name in ("One", "Two", "Three")
            ]
            make_installation(make_user(self.account, role=Role.ADMIN))
            listed = [
                {"id": id, "name": name, "is_private": False, "is_member": True}
                for id, name in CHANNELS.items()
            ]
            db.session.add(
                ChannelList(account_id=self.account.id, channels=listed, fetched_at=now())
            )
            db.session.commit()
        sign_in(client, self.uma)
        self.url = f"/alert-sources/{self.source.id}/slack"

    def offers(self, *names: str) -> dict[str, str]:
        """The first policies, under these display names."""
        fields = {}
        for number, name in enumerate(names):
            fields[f"offer-{number}-policy"] = str(self.policies[number].id)
            fields[f"offer-{number}-name"] = name
        return fields

    def post(self, path: str = "", **fields: Any) -> Any:
        return self.client.post(self.url + path, data=fields)

    def saved(self) -> SlackSource | None:
        with self.app.app_context():
            found = db.session.get(SlackSource, self.source.id)
            if found is not None:  # read now what the test will read later
                _ = [*found.channels, *(offer.name for offer in found.offers)]
            return found


@pytest.fixture
def acme(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> Setting:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    return Setting(app, client)


def test_everything_is_saved_in_its_order_and_audited(acme: Setting) -> None:
    answer = acme.post(
        **acme.offers("First things", ""),
        channels=["C0OPS", "C0DB"],
        label="Who?",
        anyone_may_ask="y",
        shows_phone="y",
    )
    assert answer.status_code == 302
    saved = acme.saved()
    assert saved is not None
    assert [each.name for each in saved.offers] == ["First things", "Two"]
    assert [each.channel_name for each in saved.channels] == ["db", "ops"]
    assert (saved.label, saved.anyone_may_ask, saved.shows_phone) == ("Who?", True, True)
    shown = acme.client.get(f"/alert-sources/{acme.source.id}").text
    assert "#db" in shown
    assert "as “First things”" in shown
    with acme.app.app_context():
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert entry.details["policies"] == "One as “First things”, Two"
    assert acme.post(**acme.offers("Other"), channels=["C0DB"]).status_code == 302
    again = acme.saved()
    assert again is not None
    assert [each.name for each in again.offers] == ["Other"]
    assert [each.channel_name for each in again.channels] == ["db"]


def test_phone_numbers_are_only_shown_to_those_who_may_ask(acme: Setting) -> None:
    acme.post(**acme.offers(""), shows_phone="y")
    saved = acme.saved()
    assert saved is not None
    assert not saved.shows_phone


def test_a_channel_of_another_slack_source_is_refused_by_name(acme: Setting) -> None:
    with acme.app.app_context():
        other, _ = make_source(acme.account, name="Front desk", type="slack")
        make_slack_settings(other, acme.policies[0], channel_id="C0DB", channel_name="db")
    answer = acme.post(**acme.offers("Kept"), channels=["C0DB", "C0OPS"], label="My label")
    assert answer.status_code == 422
    assert "#db to Front desk" in answer.text
    assert 'value="Kept"' in answer.text
    assert 'value="My label"' in answer.text
    assert answer.text.count("checked") == 2
    assert acme.saved() is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Please choose 1 to 10 escalation policies."),
        ({"offer-0-policy": "999999"}, "not there any more"),
        ({"offer-0-policy": "nonsense"}, "not there any more"),
        ({"channels": ["C0NOWHERE"], "policy": "1"}, "Please choose the channels from the list."),
        ({"label": "x" * 151, "policy": "1"}, "a label of up to 150"),
        ({"offer-0-name": "x" * 76, "policy": "1"}, "a name of up to 75"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field(
    acme: Setting, fields: dict[str, Any], words: str
) -> None:
    if fields.pop("policy", None):
        fields = {**acme.offers(""), **fields}
    answer = acme.post(**fields)
    assert answer.status_code == 422
    assert words in answer.text
    assert acme.saved() is None


def test_one_policy_twice_and_eleven_are_refused(acme: Setting) -> None:
    twice = {f"offer-{n}-policy": str(acme.policies[0].id) for n in range(2)}
    assert "already chosen above" in acme.post(**twice).text
    with acme.app.app_context():
        more = [make_policy(acme.account, [acme.uma]) for _ in range(11)]
    eleven = {f"offer-{n}-policy": str(policy.id) for n, policy in enumerate(more)}
    assert "Please choose 1 to 10" in acme.post(**eleven).text


def test_policies_are_added_moved_and_removed_with_what_was_typed_kept(acme: Setting) -> None:
    added = acme.post(**acme.offers("a", "b"), do="add", **{"offer-add": acme.policies[2].id})
    assert [added.text.index(name) for name in ("1. One", "2. Two", "3. Three")]
    moved = acme.post(**acme.offers("a", "b"), do="up-1", label="Mine").text
    assert moved.index("1. Two") < moved.index("2. One")
    assert 'value="Mine"' in moved
    removed = acme.post(**acme.offers("a", "b"), do="remove-0").text
    assert "1. Two" in removed
    assert 'value="b"' in removed
    assert acme.saved() is None  # nothing is saved by that
    for odd in ("up-0", "down-1", "up-99", "x", "up-²", ""):
        assert acme.post(**acme.offers("a", "b"), do=odd).status_code == 200


def test_the_preview_follows_what_is_typed(acme: Setting) -> None:
    off = acme.post("/preview", **acme.offers("Night watch"))
    assert "not switched on" in off.text
    shown = acme.post("/preview", **acme.offers("Night watch", ""), anyone_may_ask="y").text
    assert shown.index("Night watch") < shown.index("Two")
    assert "Uma" in shown
    assert "always on-call" in shown
    assert "📞" not in shown
    phones = acme.post("/preview", **acme.offers(""), anyone_may_ask="y", shows_phone="y").text
    assert "no number on their profile" in phones


def test_channels_are_searched_and_the_chosen_ones_stay(acme: Setting) -> None:
    found = acme.client.get(f"{acme.url}/channels?q=%23al&channels=C0DB").text
    assert "#alerts" in found
    assert "#db" in found
    assert "#ops" not in found


def test_only_slack_sources_have_the_settings(acme: Setting) -> None:
    with acme.app.app_context():
        source, _ = make_source(acme.account, name="Plain")
    assert acme.client.get(f"/alert-sources/{source.id}/slack").status_code == 404
    assert "Slack settings" not in acme.client.get(f"/alert-sources/{source.id}").text


def test_a_responder_sees_what_is_set_up_and_cannot_change_it(acme: Setting) -> None:
    acme.post(**acme.offers("Night watch"), channels=["C0OPS"])
    with acme.app.app_context():
        sign_in(acme.client, make_user(acme.account, role=Role.RESPONDER))
    shown = acme.client.get(f"/alert-sources/{acme.source.id}").text
    assert "#ops" in shown
    assert acme.url not in shown
    assert acme.client.get(acme.url).status_code == 403


def test_a_policy_that_is_offered_cannot_be_deleted(acme: Setting) -> None:
    acme.post(**acme.offers(""))
    answer = acme.client.post(
        f"/escalation-policies/{acme.policies[0].id}/delete", follow_redirects=True
    )
    assert "is used by the alert source Ask us" in answer.text
    with acme.app.app_context():
        assert db.session.get(EscalationPolicy, acme.policies[0].id) is not None


def test_the_type_stays_slack_while_channels_use_it(acme: Setting) -> None:
    acme.post(**acme.offers(""), channels=["C0OPS"])
    change = {"name": "Ask us", "type": "api", "escalation_policy_id": ""}
    answer = acme.client.post(f"/alert-sources/{acme.source.id}/edit", data=change)
    assert answer.status_code == 422
    assert "Remove them under its Slack settings first" in answer.text
    acme.post(**acme.offers(""))
    answer = acme.client.post(f"/alert-sources/{acme.source.id}/edit", data=change)
    assert answer.status_code == 302
    with acme.app.app_context():
        assert db.session.get_one(AlertSource, acme.source.id).type == "api"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("+44 20 7946-0958", "+442079460958"), ("", None), ("+1 (212) 555.0100", "+12125550100")],
)
def test_a_phone_number_is_kept_and_shown_to_its_owner_and_admins(
    acme: Setting, typed: str, kept: str | None
) -> None:
    assert acme.client.post("/profile/phone", data={"phone": typed}).status_code == 303
    with acme.app.app_context():
        assert db.session.get_one(User, acme.uma.id).phone == kept
        admin = make_user(acme.account, role=Role.ADMIN)
    assert f'value="{kept or ""}"' in acme.client.get("/profile").text
    sign_in(acme.client, admin)
    assert (kept or "E-mail") in acme.client.get("/settings/users").text


@pytest.mark.parametrize(
    "typed", ["020 7946 0958", "+0123456789", "+44", "+12345678901234567", "x"]
)
def test_what_is_no_phone_number_is_refused_and_stays_in_the_form(
    acme: Setting, typed: str
) -> None:
    answer = acme.client.post("/profile/phone", data={"phone": typed})
    assert answer.status_code == 422
    assert "with its country code" in answer.text
    assert f'value="{typed}"' in answer.text
