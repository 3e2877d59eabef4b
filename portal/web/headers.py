"""What every answer tells the browser it may do."""

from urllib.parse import urlsplit

from flask import Flask, Response

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
A_YEAR = 365 * 24 * 60 * 60  # seconds


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
    is_https = app.config["PUBLIC_URL"].startswith("https://")

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = written
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if is_https:  # for this name alone: what runs beside it is not ours to decide
            response.headers["Strict-Transport-Security"] = f"max-age={A_YEAR}"
        return response
