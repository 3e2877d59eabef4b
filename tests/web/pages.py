"""How does a test fill in a form? It opens a page first, as a person would, for its form token."""

import re
from html.parser import HTMLParser

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


def post(client: FlaskClient, url: str, *, on: str | None = None, **fields: str) -> TestResponse:
    """Send a form that stands on the page `on`, or at its own address."""
    found = re.search(r'"X-CSRFToken":"([^"]+)"', client.get(on or url).text)
    assert found, f"the page {on or url} has no form token"
    return client.post(url, data={"csrf_token": found[1], **fields})


def text_of(response: TestResponse) -> str:
    """What a person reads on the page, its white space made single."""
    reader = _Text()
    reader.feed(response.text)
    return " ".join(" ".join(reader.parts).split())


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)
