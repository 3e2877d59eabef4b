"""Who acts in the domain's tests? Ada and Bob of one account, Charlie of another."""

from dataclasses import dataclass

import pytest
from flask import Flask

from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Role
from tests.make import make_account, make_user


@dataclass(frozen=True)
class Cast:
    account: Account
    ada: User  # an admin
    bob: User  # a responder
    charlie: User  # the admin of another account


@pytest.fixture
def cast(app: Flask) -> Cast:
    with app.app_context():
        account = make_account("Acme")
        return Cast(
            account=account,
            ada=make_user(account, role=Role.ADMIN, name="Ada"),
            bob=make_user(account, role=Role.RESPONDER, name="Bob"),
            charlie=make_user(role=Role.ADMIN, name="Charlie"),
        )
