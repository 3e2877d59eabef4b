"""Who may come in, how often may somebody try, and when does a sign-in end?"""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from portal.domain.accounts import operations, queries, sign_ins
from portal.domain.accounts.secrets import password_fits
from portal.errors import Denied, Invalid, TooMany
from tests.domain.conftest import Cast
from tests.make import PASSWORD

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE = {"address": "192.0.2.1", "user_agent": "a browser"}


def test_the_right_password_gives_a_token_that_names_the_person(app: Flask, cast: Cast) -> None:
    with app.app_context():
        person, token = sign_ins.sign_in(f" {cast.ada.email.upper()} ", PASSWORD, **HERE)
        found = queries.sign_in_of(token)
        assert found is not None
        assert found.user.id == person.id == cast.ada.id
        assert queries.sign_in_of("something else") is None


def test_every_wrong_combination_hears_the_same_sentence(app: Flask, cast: Cast) -> None:
    said = set()
    with app.app_context():
        operations.deactivate(cast.bob.id, by=cast.ada)
        invited, _ = operations.invite(
            by=cast.ada, email="new@example.com", name="New", role=cast.bob.role
        )
        tries = [
            ("nobody@example.com", PASSWORD),
            (cast.ada.email, "wrong password"),
            (cast.bob.email, PASSWORD),
            (invited.email, PASSWORD),
            (invited.email, ""),
        ]
        for email, password in tries:
            with pytest.raises(Denied) as refused:
                sign_ins.sign_in(email, password, **HERE)
            said.add(str(refused.value))
    assert len(said) == 1


def test_after_ten_wrong_tries_even_the_right_password_waits(app: Flask, cast: Cast) -> None:
    with app.app_context(), time_machine.travel(NOON, tick=False) as clock:
        for _ in range(sign_ins.TRIES_PER_PAIR):
            with pytest.raises(Denied):
                sign_ins.sign_in(cast.ada.email, "wrong password", **HERE)
        with pytest.raises(TooMany, match="in 16 minutes") as refused:
            sign_ins.sign_in(cast.ada.email, PASSWORD, **HERE)
        elsewhere = HERE | {"address": "192.0.2.2"}
        sign_ins.sign_in(cast.ada.email, PASSWORD, **elsewhere)  # nobody is locked out by others
        clock.shift(refused.value.retry_after)
        sign_ins.sign_in(cast.ada.email, PASSWORD, **HERE)


def test_a_success_starts_the_count_anew(app: Flask, cast: Cast) -> None:
    with app.app_context(), time_machine.travel(NOON, tick=False):
        for _ in range(2):
            for _ in range(sign_ins.TRIES_PER_PAIR - 1):
                with pytest.raises(Denied):
                    sign_ins.sign_in(cast.ada.email, "wrong password", **HERE)
            sign_ins.sign_in(cast.ada.email, PASSWORD, **HERE)


def test_a_sign_in_ends_after_two_weeks_without_use(app: Flask, cast: Cast) -> None:
    with app.app_context(), time_machine.travel(NOON, tick=False) as clock:
        _, token = sign_ins.sign_in(cast.ada.email, PASSWORD, **HERE)
        clock.shift(timedelta(days=13))
        found = queries.sign_in_of(token)
        assert found is not None
        sign_ins.seen(found)
        clock.shift(timedelta(days=13))
        assert queries.sign_in_of(token) is not None
        clock.shift(timedelta(days=1))
        assert queries.sign_in_of(token) is None


def test_signing_out_ends_this_sign_in_only(app: Flask, cast: Cast) -> None:
    with app.app_context():
        _, here = sign_ins.sign_in(cast.ada.email, PASSWORD, **HERE)
        _, there = sign_ins.sign_in(cast.ada.email, PASSWORD, **HERE)
        sign_ins.sign_out(here)
        sign_ins.sign_out(here)
        assert queries.sign_in_of(here) is None
        assert queries.sign_in_of(there) is not None


def test_nobody_ends_the_sign_in_of_somebody_else(app: Flask, cast: Cast) -> None:
    with app.app_context():
        _, token = sign_ins.sign_in(cast.ada.email, PASSWORD, **HERE)
        found = queries.sign_in_of(token)
        assert found is not None
        sign_ins.revoke(found.id, by=cast.bob)
        assert queries.sign_in_of(token) is not None
        sign_ins.revoke(found.id, by=found.user)
        assert queries.sign_in_of(token) is None


def test_a_new_password_ends_all_other_sign_ins(app: Flask, cast: Cast) -> None:
    with app.app_context():
        ada, here = sign_ins.sign_in(cast.ada.email, PASSWORD, **HERE)
        _, there = sign_ins.sign_in(cast.ada.email, PASSWORD, **HERE)
        with pytest.raises(Invalid) as refused:
            sign_ins.change_password("not it", "another good one", by=ada, keep=here)
        assert refused.value.field == "old_password"
        sign_ins.change_password(PASSWORD, "another good one", by=ada, keep=here)
        assert queries.sign_in_of(here) is not None
        assert queries.sign_in_of(there) is None
        assert password_fits(ada.password_hash, "another good one")


def test_deactivating_somebody_ends_their_sign_ins(app: Flask, cast: Cast) -> None:
    with app.app_context():
        _, token = sign_ins.sign_in(cast.bob.email, PASSWORD, **HERE)
        operations.deactivate(cast.bob.id, by=cast.ada)
        assert queries.sign_in_of(token) is None
