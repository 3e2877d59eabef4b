"""Is a wrong setting refused at the start, in one sentence that says what to do?"""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from portal.settings import Settings, SettingsError, load

GOOD = {
    "SECRET_KEY": "x" * 32,
    "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "PUBLIC_URL": "https://alerts.example.com",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only GOOD, and no `.env`."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name, raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)


def test_what_is_enough_for_production_is_enough() -> None:
    settings = load()
    assert (settings.APP_ENV, settings.is_slack_configured) == ("production", False)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("APP_ENV", "staging", "APP_ENV: "),
        ("SMTP_URL", "http://mail.example.com", "SMTP_URL: must be a URL like smtp://"),
        ("SMTP_URL", "smtp://host:port", "SMTP_URL: must be a URL like smtp://"),
        ("SMTP_URL", "smtp://mail.example.com", "E-mail needs both SMTP_URL and MAIL_FROM."),
        ("MAIL_FROM", "nobody", "MAIL_FROM: must be an e-mail address like"),
        ("MAIL_FROM", "a@example.com\nBcc: b@example.com", "MAIL_FROM: must be an e-mail address"),
        ("DATABASE_URL", "mysql://host/name", "must be a PostgreSQL URL"),
        ("DATABASE_URL", "host/name", "must be a PostgreSQL URL"),
        ("DATABASE_URL", "postgresql://me:secret@host:port/name", "must be a PostgreSQL URL"),
        ("PUBLIC_URL", "https://alerts.example.com:99999", "PUBLIC_URL: must be a URL like https"),
        ("PUBLIC_URL", "https://a..b", "PUBLIC_URL: must be a URL like https://"),
        ("PUBLIC_URL", "https://[", "PUBLIC_URL: must be a URL like https://"),
        ("PUBLIC_URL", "https://example.com/alerts", "must end after the host"),
        ("PUBLIC_URL", "alerts.example.com", "PUBLIC_URL: must be a URL like https://"),
        ("PUBLIC_URL", "http://alerts.example.com", "PUBLIC_URL must begin with https://"),
        ("SLACK_API_URL", "http://slack.example.com/api/", "SLACK_API_URL must begin with https"),
        ("LOG_LEVEL", "CHATTY", "LOG_LEVEL: "),
        ("SECRET_KEY", "", "SECRET_KEY is missing"),
        ("SECRET_KEY", "short", "SECRET_KEY is too short"),
        ("ENCRYPTION_KEYS", "", "ENCRYPTION_KEYS is missing"),
        ("ENCRYPTION_KEYS", "not a key", "32 bytes in URL-safe base64"),
        ("SLACK_CLIENT_ID", "1.2", "SLACK_CLIENT_SECRET, SLACK_SIGNING_SECRETS missing"),
        ("SLACK_RESPONSE_HOSTS", "127.0.0.1:8001", "must not name this machine"),
        ("EVENTS_PER_MINUTE", "0", "EVENTS_PER_MINUTE: "),
        ("EVENTS_PER_MINUTE", "many", "EVENTS_PER_MINUTE: "),
        ("TRUSTED_PROXIES", "-1", "TRUSTED_PROXIES: "),
    ],
)
def test_nonsense_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load()
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_refusal_never_repeats_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", "my-precious")
    monkeypatch.setenv("DATABASE_URL", "mysql://me:my-precious@host/name")
    with pytest.raises(SettingsError) as refused:
        load()
    assert len(str(refused.value).splitlines()) == 2
    assert "my-precious" not in str(refused.value)


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [Fernet.generate_key().decode() for _ in range(2)]
    monkeypatch.setenv("ENCRYPTION_KEYS", " , ".join(keys))
    assert keys == load().ENCRYPTION_KEYS


def test_every_usual_postgresql_url_means_the_same_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        monkeypatch.setenv("DATABASE_URL", f"{scheme}://me@host/name")
        assert load().DATABASE_URL == "postgresql+psycopg://me@host/name"


def test_development_needs_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in GOOD:
        monkeypatch.delenv(name)
    monkeypatch.setenv("APP_ENV", "development")
    assert load().PUBLIC_URL == "http://localhost:8000"
