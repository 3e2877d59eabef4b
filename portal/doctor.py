"""How does an operator hear what is missing or wrong? Said in words, with the setting to change."""

from collections.abc import Iterator

from portal import create_app, diagnosis, private_postgres
from portal.connections import connected
from portal.diagnosis import FINE, NOTE, WRONG, Finding
from portal.mail import smtp
from portal.mail.smtp import MailError
from portal.settings import SettingsError, load


def examine() -> Iterator[Finding]:
    """Look at everything; what cannot be looked at without something earlier is left out."""
    try:
        settings = load()
    except SettingsError as problem:
        yield from (Finding(WRONG, line) for line in str(problem).splitlines())
        return
    yield Finding(FINE, f"The settings are complete for {settings.APP_ENV}.")
    try:
        app = create_app(settings)
    except private_postgres.CannotStart as problem:
        yield Finding(WRONG, str(problem))
        return
    with connected(app):
        yield from diagnosis.examine()
        yield from _mail()


def _mail() -> Iterator[Finding]:
    if not smtp.is_configured():
        yield Finding(NOTE, "SMTP_URL is not set: nobody is told by e-mail.")
        return
    try:
        smtp.check()
    except MailError as problem:
        yield Finding(WRONG, f"SMTP_URL does not work. {problem}")
    else:
        yield Finding(FINE, "The mail server of SMTP_URL lets us in.")
