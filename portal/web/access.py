"""Who is looking, and may they? Every view says so with @requires or @public."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, cast
from urllib.parse import urlsplit

from flask import Flask, g, redirect, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from htmx_flask import request
from werkzeug.wrappers import Response

from portal.domain.accounts import queries, sign_ins
from portal.domain.accounts.models import SignIn, User
from portal.domain.accounts.permissions import Permission
from portal.extensions import login_manager

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]

PUBLIC = "public"
TOKEN = "sign_in"  # noqa: S105 - the cookie's key; its value names the row in `sign_ins`


def public(view: View[P]) -> View[P]:
    """Mark a view that anybody may open. `view.access` is then PUBLIC."""
    view.access = PUBLIC  # type: ignore[attr-defined]
    return view


def requires(permission: Permission) -> Callable[[View[P]], View[P]]:
    """Let only people with the permission in. `view.access` is then the permission.

    Strangers are sent to the sign-in page; others meet Denied, whose words say whom to ask, or
    NotFound where it is not their business that there is such a page.
    """

    def declare(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if not current_user.is_authenticated:
                return _sign_in_first()
            viewer().require(permission)
            return view(*args, **kwargs)

        guarded.access = permission  # type: ignore[attr-defined]
        return guarded

    return declare


def viewer() -> User:
    """The person who is signed in; only for views that @requires something."""
    return cast(User, current_user._get_current_object())


def sign_in_row() -> SignIn:
    """The live sign-in of this browser; only for views that @requires something."""
    viewer()  # loads the row
    return cast(SignIn, g.sign_in)


def is_local(target: str) -> bool:
    """Say whether a redirect to the target stays on this portal.

    Browsers read `//host` and `/\\host` as another host, and skip control characters.
    """
    has_tricks = "\\" in target or not target.isprintable()
    return target.startswith("/") and not target.startswith("//") and not has_tricks


def init_app(app: Flask) -> None:
    """Find the person behind each request by the sign-in row that their cookie names."""
    # Flask-Login's own protection hashes X-Forwarded-For, which the client chooses. The row is
    # ours, can be ended, and is checked at every request.
    login_manager.session_protection = None
    login_manager.user_loader(_person)
    app.context_processor(lambda: {"Permission": Permission})


def _person(user_id: str) -> User | None:
    found = queries.sign_in_of(session.get(TOKEN, ""))
    if found is None or found.user.get_id() != user_id:
        return None
    sign_ins.seen(found)
    g.sign_in = found
    return found.user


def _sign_in_first() -> Response:
    """Send a stranger to the sign-in page, and back to where they wanted to look."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    if request.htmx:
        wanted = urlsplit(request.htmx.current_url or "").path or None
    target = url_for("login.show", next=wanted)
    if request.htmx:
        return Response(status=401, headers={"HX-Redirect": target})
    return redirect(target, 303)
