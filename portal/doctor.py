"""How does an operator hear what is missing or wrong? Said in words, with the setting to change."""

from collections.abc import Iterator

from portal import create_app, diagnosis, private_postgres
from portal.diagnosis import FINE, WRONG, Finding
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
    with app.app_context():
        yield from diagnosis.examine()
