"""What can be set? Every setting: name, type, default, one sentence. A wrong one stops the start."""

import base64
import binascii
import os
import secrets
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
Commas = Annotated[list[str], NoDecode]  # "a, b" in the environment


class SettingsError(Exception):
    """Some settings are wrong or missing; the message is one readable line for each."""


class Settings(BaseSettings):
    """Read once at the start from the environment, in development also from `.env`."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    APP_ENV: Literal["production", "development"] = Field(
        "production", description="`production` refuses missing secrets and plain-http Slack URLs"
    )
    DATABASE_URL: str | None = Field(
        None, description="PostgreSQL URL; absent: a private PostgreSQL under `TOCSIN_HOME`"
    )
    TOCSIN_HOME: Path = Field(
        Path(".tocsin"), description="private data of the demo and of a private PostgreSQL"
    )
    PUBLIC_URL: str = Field(
        "http://localhost:8000", description="what people and Slack use to reach the portal"
    )
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="`DEBUG` shows more and still no secret"
    )
    SECRET_KEY: str = Field(
        "", description="signs browser sessions and forms, 32 characters or more"
    )
    ENCRYPTION_KEYS: Commas = Field(
        [], description="Fernet keys, comma-separated, newest first; encrypt Slack tokens at rest"
    )
    SLACK_CLIENT_ID: str = Field("", description="the Slack app's client id")
    SLACK_CLIENT_SECRET: str = Field("", description="the Slack app's client secret")
    SLACK_SIGNING_SECRETS: Commas = Field(
        [], description="the Slack app's signing secrets, comma-separated, any one may sign"
    )
    SLACK_APP_ID: str = Field("", description="when set, callbacks of other Slack apps are ignored")
    SLACK_API_URL: str = Field("https://slack.com/api/", description="base of Slack's Web API")
    SLACK_AUTHORIZE_URL: str = Field(
        "https://slack.com/oauth/v2/authorize", description="where an admin allows the Slack app"
    )
    SLACK_RESPONSE_HOSTS: Commas = Field(
        ["hooks.slack.com", "hooks.slack-gov.com"],
        description="hosts that a `response_url` may name; loopback only in development",
    )
    SMTP_URL: str = Field(
        "",
        description="the mail server, smtp://user:password@host:587 (STARTTLS) or smtps://…;"
        " without it nobody is told by e-mail",
    )
    MAIL_FROM: str = Field("", description="who e-mails are from: Tocsin <alerts@example.com>")
    EVENTS_PER_MINUTE: int = Field(
        6000, gt=0, description="events that one alert source may send per minute"
    )
    TRUSTED_PROXIES: int = Field(
        0, ge=0, le=5, description="reverse proxies in front that set X-Forwarded-* headers"
    )

    @field_validator(
        "ENCRYPTION_KEYS", "SLACK_SIGNING_SECRETS", "SLACK_RESPONSE_HOSTS", mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            [part.strip() for part in value.split(",") if part.strip()]
            if isinstance(value, str)
            else value
        )

    @field_validator("DATABASE_URL")
    @classmethod
    def _postgresql_only(cls, value: str | None) -> str | None:
        if not value:
            return None
        scheme, separator, rest = value.partition("://")
        url = f"postgresql+psycopg://{rest}"
        try:
            make_url(url)  # also refuses a port that is no number
        except (ArgumentError, ValueError):
            scheme = ""
        if scheme not in ("postgresql", "postgres", "postgresql+psycopg") or not separator:
            raise ValueError("must be a PostgreSQL URL like postgresql://user:password@host/name")
        return url

    @field_validator("SMTP_URL")
    @classmethod
    def _smtp(cls, value: str) -> str:
        try:
            url = urlsplit(value)
            fits = url.scheme in ("smtp", "smtps") and bool(url.hostname) and url.port != 0
        except ValueError:
            fits = False
        if value and (not fits or url.path.strip("/") or url.query or url.fragment):
            raise ValueError("must be a URL like smtp://user:password@mail.example.com:587")
        return value

    @field_validator("MAIL_FROM")
    @classmethod
    def _sender(cls, value: str) -> str:
        _, address = parseaddr(value)
        name, _, host = address.partition("@")
        if value and (not name or not host or not value.isprintable()):
            raise ValueError("must be an e-mail address like Tocsin <alerts@example.com>")
        return value

    @field_validator("PUBLIC_URL", "SLACK_API_URL", "SLACK_AUTHORIZE_URL")
    @classmethod
    def _url(cls, value: str) -> str:
        try:
            url = urlsplit(value)
            name = (url.hostname or "").encode("idna")
            fits = url.scheme in ("http", "https") and bool(name) and url.port != 0
        except ValueError:  # brackets that do not match, a port beyond 65535, no name for DNS
            fits = False
        if not fits or url.query or url.fragment:
            raise ValueError("must be a URL like https://alerts.example.com")
        return value.rstrip("/")

    @field_validator("PUBLIC_URL")
    @classmethod
    def _whole_host(cls, value: str) -> str:
        if urlsplit(value).path:
            raise ValueError("must end after the host: the portal does not run under a path")
        return value

    @field_validator("SLACK_API_URL")
    @classmethod
    def _with_slash(cls, value: str) -> str:
        return f"{value}/"  # slack_sdk appends the method's name

    @field_validator("ENCRYPTION_KEYS")
    @classmethod
    def _fernet(cls, value: list[str]) -> list[str]:
        for key in value:
            try:
                fits = len(base64.urlsafe_b64decode(key)) == 32
            except (binascii.Error, ValueError):
                fits = False
            if not fits:
                raise ValueError("each must be 32 bytes in URL-safe base64 (see README, Settings)")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        problems = [
            *self._missing_secrets(),
            *self._half_a_slack_app(),
            *self._half_a_mail_server(),
            *self._plain_http(),
        ]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _missing_secrets(self) -> list[str]:
        if self.APP_ENV == "development":
            return []  # create_app() makes its own under TOCSIN_HOME
        missing = [name for name in ("SECRET_KEY", "ENCRYPTION_KEYS") if not getattr(self, name)]
        problems = [f"{name} is missing: production does not start without it." for name in missing]
        if self.SECRET_KEY and len(self.SECRET_KEY) < 32:
            problems.append("SECRET_KEY is too short: please use 32 characters or more.")
        return problems

    def _half_a_slack_app(self) -> list[str]:
        names = ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_SIGNING_SECRETS")
        missing = [name for name in names if not getattr(self, name)]
        if len(missing) in (0, len(names)):
            return []
        return [f"{', '.join(missing)} missing: the Slack app needs {', '.join(names)}."]

    def _half_a_mail_server(self) -> list[str]:
        is_half = bool(self.SMTP_URL) != bool(self.MAIL_FROM)
        return ["E-mail needs both SMTP_URL and MAIL_FROM."] if is_half else []

    def _plain_http(self) -> list[str]:
        if self.APP_ENV == "development":
            return []
        names = ("SLACK_API_URL", "SLACK_AUTHORIZE_URL", "PUBLIC_URL")
        plain = [name for name in names if _is_plain_http(getattr(self, name))]
        problems = [f"{name} must begin with https:// in production." for name in plain]
        if any(host.partition(":")[0] in LOOPBACK for host in self.SLACK_RESPONSE_HOSTS):
            problems.append("SLACK_RESPONSE_HOSTS must not name this machine in production.")
        return problems

    @property
    def is_slack_configured(self) -> bool:
        return bool(self.SLACK_CLIENT_ID)


def _is_plain_http(value: str) -> bool:
    url = urlsplit(value)
    return url.scheme == "http" and url.hostname not in LOOPBACK


def load() -> Settings:
    """Read the settings. Raises SettingsError with a sentence for each that is wrong."""
    development = os.environ.get("APP_ENV") == "development"
    try:
        return Settings(_env_file=".env" if development else None)  # type: ignore[call-arg]
    except ValidationError as problem:
        raise SettingsError("\n".join(map(_sentence, problem.errors()))) from None


def _sentence(error: object) -> str:
    assert isinstance(error, dict)  # noqa: S101 - pydantic's ErrorDetails
    name, message = ".".join(map(str, error["loc"])), error["msg"].removeprefix("Value error, ")
    return f"{name}: {message}" if name else message


def development_secrets(settings: Settings) -> Settings:
    """Fill in what development leaves out, with keys made once and kept under TOCSIN_HOME."""
    return settings.model_copy(
        update={
            "SECRET_KEY": settings.SECRET_KEY or _kept(settings.TOCSIN_HOME / "secret-key"),
            "ENCRYPTION_KEYS": settings.ENCRYPTION_KEYS
            or [_kept(settings.TOCSIN_HOME / "encryption-key")],
        }
    )


def _kept(path: Path) -> str:
    """The 32 random bytes in the file, in URL-safe base64; made on first use, by one process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(made)
    try:
        os.link(draft, path)  # fails where another process was faster, and nothing is half written
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text()
