"""How large may a request be? As large as LARGEST, also when it does not say its length."""

from flask import Flask, request
from werkzeug.exceptions import RequestEntityTooLarge

LARGEST = 1024 * 1024  # bytes; product.md section 9


def init_app(app: Flask) -> None:
    app.config["MAX_CONTENT_LENGTH"] = LARGEST
    app.before_request(_refuse_too_large)


def _refuse_too_large() -> None:
    """Without a Content-Length, Werkzeug cuts a body at the limit and says nothing."""
    if request.content_length is None:
        request.max_content_length = LARGEST + 1
        if len(request.get_data()) > LARGEST:
            raise RequestEntityTooLarge
