"""Who joins an account, with which role, and who may decide it?"""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from portal.db import db
from portal.domain.accounts import operations, queries
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Role
from portal.domain.accounts.secrets import password_fits
from portal.domain.audit.models import AuditEntry
from portal.errors import Conflict, Denied, Invalid, NotFound
from tests.domain.conftest import Cast
from tests.make import PASSWORD, make_user
from tests.together import collide


def invite(cast: Cast, email: str = "eve@example.com") -> tuple[User, str]:
    return operations.invite(by=cast.ada, email=email, name="Eve", role=Role.USER)


def test_the_first_person_of_an_account_is_its_owner(app: Flask) -> None:
    with app.app_context():
        account = operations.create_account(
            "Acme", admin_email="ada@example.com", admin_name="Ada", password=PASSWORD
        )
        (owner,) = queries.admins_of(account.id)
        assert (owner.name, owner.role) == ("Ada", Role.OWNER)


@pytest.mark.parametrize(
    ("name", "email"), [("Acme", "new@example.com"), ("New", "Ada@Example.com")]
)
def test_a_taken_name_or_address_creates_nothing(app: Flask, name: str, email: str) -> None:
    with app.app_context():
        operations.create_account(
            "Acme", admin_email="ada@example.com", admin_name="Ada", password=PASSWORD
        )
        with pytest.raises(Conflict, match="already"):
            operations.create_account(name, admin_email=email, admin_name="A", password=PASSWORD)
        db.session.rollback()
        assert db.session.scalars(db.select(Account.name)).all() == ["Acme"]


def test_an_invitation_lets_its_person_choose_a_password_once(app: Flask, cast: Cast) -> None:
    with app.app_context():
        person, token = invite(cast)
        accepted = operations.accept_invitation(token, password="a password of my own")
        assert accepted.id == person.id
        with pytest.raises(NotFound, match="Ask an admin for a new link"):
            operations.accept_invitation(token, password="somebody else's idea")
        db.session.rollback()
        eve = db.session.get_one(User, person.id)
        assert password_fits(eve.password_hash, "a password of my own")


def test_of_two_who_use_an_invitation_at_once_one_succeeds(app: Flask, cast: Cast) -> None:
    with app.app_context():
        person, token = invite(cast)
        person_id = person.id
    passwords = ["the first password", "the second password"]
    attempts = [lambda p=p: operations.accept_invitation(token, password=p) for p in passwords]
    results = collide(app, "SELECT 1 FROM users WHERE id = :id FOR UPDATE", attempts, id=person_id)
    (loser,) = [result for result in results if isinstance(result, Exception)]
    assert isinstance(loser, NotFound)
    with app.app_context():
        kept = db.session.get_one(User, person_id).password_hash
        assert password_fits(kept, passwords[1 - results.index(loser)])


def test_an_invitation_ends_after_a_week_and_when_a_newer_one_is_made(
    app: Flask, cast: Cast
) -> None:
    with app.app_context(), time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC)) as clock:
        person, old = invite(cast)
        _, new = operations.invite_again(person.id, by=cast.ada)
        with pytest.raises(NotFound):
            queries.invitation_by(old)
        assert queries.invitation_by(new).user.id == person.id
        clock.shift(timedelta(days=7))
        with pytest.raises(NotFound):
            operations.accept_invitation(new, password=PASSWORD)


@pytest.mark.parametrize("role", [Role.STAKEHOLDER, Role.RESPONDER, Role.USER, Role.SUPPORT])
def test_only_admins_manage_people(app: Flask, cast: Cast, role: Role) -> None:
    with app.app_context():
        person = make_user(None if role is Role.SUPPORT else cast.account, role=role)
        for attempt in (
            lambda: operations.invite(by=person, email="x@example.com", name="X", role=Role.USER),
            lambda: operations.invite_again(cast.bob.id, by=person),
            lambda: operations.make_sign_in_link(cast.bob.id, by=person),
            lambda: operations.change_role(cast.bob.id, Role.ADMIN, by=person),
            lambda: operations.deactivate(cast.bob.id, by=person),
            lambda: operations.reactivate(cast.bob.id, by=person),
        ):
            with pytest.raises(Denied):
                attempt()


def test_people_of_another_account_do_not_exist(app: Flask, cast: Cast) -> None:
    with app.app_context():
        for attempt in (
            lambda: queries.person(cast.charlie, cast.bob.id),
            lambda: operations.invite_again(cast.bob.id, by=cast.charlie),
            lambda: operations.change_role(cast.bob.id, Role.ADMIN, by=cast.charlie),
            lambda: operations.deactivate(cast.bob.id, by=cast.charlie),
            lambda: operations.reactivate(cast.bob.id, by=cast.charlie),
        ):
            with pytest.raises(NotFound):
                attempt()
        assert cast.bob.id not in [person.id for person in queries.people_of(cast.charlie)]


def test_nobody_changes_the_owner_or_themselves(app: Flask, cast: Cast) -> None:
    with app.app_context():
        owner = make_user(cast.account, role=Role.OWNER)
        for person in (owner, cast.ada):
            with pytest.raises(Conflict):
                operations.change_role(person.id, Role.RESPONDER, by=cast.ada)
            with pytest.raises(Conflict):
                operations.deactivate(person.id, by=cast.ada)


@pytest.mark.parametrize("role", [Role.OWNER, Role.SUPPORT])
def test_ownership_and_support_cannot_be_given_away(app: Flask, cast: Cast, role: Role) -> None:
    with app.app_context():
        with pytest.raises(Invalid):
            operations.change_role(cast.bob.id, role, by=cast.ada)
        with pytest.raises(Invalid):
            operations.invite(by=cast.ada, email="x@example.com", name="X", role=role)


def test_a_change_of_role_is_audited_with_before_and_after(app: Flask, cast: Cast) -> None:
    with app.app_context():
        operations.change_role(cast.bob.id, Role.USER, by=cast.ada)
        entry = db.session.scalars(db.select(AuditEntry)).one()
        assert (entry.actor_name, entry.subject) == ("Ada", "person Bob")
        assert entry.details == {"before": "responder", "after": "user"}


@pytest.mark.parametrize("email", ["", "ada", "@example.com", "a@b", "a b@example.com"])
def test_an_address_that_cannot_be_one_is_refused_at_its_field(
    app: Flask, cast: Cast, email: str
) -> None:
    with app.app_context(), pytest.raises(Invalid) as refused:
        invite(cast, email)
    assert refused.value.field == "email"
