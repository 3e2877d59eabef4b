"""What every answer tells the browser it may do."""

from urllib.parse import urlsplit

from flask import Flask, Response

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def init_app(app: Flask) -> None:
    slack = urlsplit(app.config["SLACK_AUTHORIZE_URL"])
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",  # Tabler's own pictures are data: URIs
        "font-src": "'self'",
        "connect-src": "'self'",
        "form-action": f"'self' {slack.scheme}://{slack.netloc}",  # Authorize redirects there
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    written = "; ".join(f"{name} {value}" for name, value in policy.items())

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = written
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response
