"""How does a template become an answer? With an ETag, so that an unchanged page costs a 304."""

from hashlib import sha256
from typing import Any

from flask import Response, g, make_response, render_template, session
from flask_wtf import FlaskForm
from htmx_flask import request

from portal.errors import Invalid


def page(template: str, *, status: int = 200, **context: Any) -> Response:
    """Render a whole page; 304 without a body when the browser has it already."""
    return _answer(render_template(template, **context), status)


def fragment(template: str, *, status: int = 200, **context: Any) -> Response:
    """Render one `_file.html` that HTMX puts into the page; 304 when it is there already."""
    return _answer(render_template(template, **context), status)


def wants_fragment() -> bool:
    """Say whether HTMX asks for a part. Going back in the history needs the whole page."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def row_id(text: str | None) -> int | None:
    """The number in a query, if it is one that PostgreSQL's bigint can hold."""
    is_number = text is not None and text.isascii() and text.isdigit() and len(text) < 19
    return int(text or "") if is_number else None


def search_text(text: str) -> str:
    """What somebody looks for, its white space made single; PostgreSQL's text has no NUL."""
    return " ".join(text.replace("\0", " ").split())


def form_errors(form: FlaskForm, problem: Invalid) -> None:
    """Put the operation's sentence at the field it is about, or at the top of the form."""
    field = form._fields.get(problem.field)
    errors = form.form_errors if field is None else field.errors
    if field is None:
        form.form_errors = [*errors, str(problem)]
    else:
        field.errors = [*errors, str(problem)]


def _answer(body: str, status: int) -> Response:
    response = make_response(body, status)
    response.vary.add("HX-Request")
    response.vary.add("Cookie")
    response.headers["Cache-Control"] = "private, no-cache"
    if status == 200:
        response.set_etag(_digest(body), weak=True)
        response.make_conditional(request)
    return response


def _digest(body: str) -> str:
    """Leave out the form token: it is signed anew each second, and stays good for its session."""
    signed = g.get("csrf_token")
    same = body.replace(signed, "") if signed else body
    return sha256(f"{session.get('csrf_token', '')}{same}".encode()).hexdigest()[:32]
