"""By which names may a browser call the portal? By PUBLIC_URL's, and on this machine.

Who proves itself without a cookie may use any: an alert must get through by an internal name too,
Slack signs, and load balancers ask for the health of an IP address.
"""

from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.exceptions import SecurityError

from portal.settings import LOOPBACK

FOR_ANY_NAME = ("ingest", "slack", "health")
WORDS = (
    "The portal does not answer to this name. If the address is right, the operator sets PUBLIC_URL"
    " to it, or lets the reverse proxy pass the Host header on."
)


def init_app(app: Flask) -> None:
    known = LOOPBACK | {_name(app.config["PUBLIC_URL"])}

    @app.before_request
    def refuse_other_names() -> None:
        if request.blueprint not in FOR_ANY_NAME and _name(f"//{request.host}") not in known:
            raise SecurityError(WORDS)


def _name(url: str) -> str:
    """The URL's host as browsers send it: without a port, in small letters, IDNA for others."""
    try:
        return (urlsplit(url).hostname or "").encode("idna").decode()
    except ValueError:  # of a Host header that is no host
        return ""
