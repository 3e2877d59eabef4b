"""How does a letter reach the mail server? The one way out: time-outs, TLS, one error."""

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from flask import current_app

from portal.settings import LOOPBACK

TIMEOUT = 10  # seconds, for each answer of the server
PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True)
class Server:
    """What SMTP_URL names."""

    host: str
    port: int
    is_tls: bool  # from the first byte
    user: str
    password: str

    @classmethod
    def parse(cls, url: str) -> "Server":
        """Raises ValueError for anything but smtp://[user:password@]host[:port] and smtps://."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError("no SMTP server")
        return cls(
            host=parts.hostname,
            port=parts.port or PORTS[parts.scheme],
            is_tls=parts.scheme == "smtps",
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )

    @property
    def needs_tls(self) -> bool:
        """A password never crosses a line in plain, whatever the server offers."""
        return bool(self.user)

    @property
    def is_plain(self) -> bool:
        """This machine's own server, without a password: its certificate would prove nothing."""
        return self.host in LOOPBACK and not self.user


class MailError(Exception):
    """A letter that the server did not take; the text is a sentence for people.

    `is_final`: it would refuse it again. `may_have_happened`: it may have taken it all the same.
    """

    def __init__(
        self, words: str, *, is_final: bool = False, may_have_happened: bool = False
    ) -> None:
        super().__init__(words)
        self.is_final, self.may_have_happened = is_final, may_have_happened


def is_configured() -> bool:
    return bool(current_app.config["SMTP_URL"])


def check() -> None:
    """Get as far as a letter would be given. Raises MailError. For `tocsin doctor`."""
    with _understood(), _connected(Server.parse(current_app.config["SMTP_URL"])):
        pass


def send(letter: EmailMessage) -> None:
    """Hand the letter to the server of SMTP_URL. Raises MailError, and nothing else.

    Never call it with a transaction open: a server may take its time.
    """
    with _understood(), _connected(Server.parse(current_app.config["SMTP_URL"])) as server:
        try:
            server.send_message(letter)
        except (smtplib.SMTPServerDisconnected, OSError) as problem:
            if isinstance(problem, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused):
                raise
            words = "The mail server stopped answering in the middle."
            raise MailError(words, may_have_happened=True) from problem
        with contextlib.suppress(smtplib.SMTPException, OSError):
            server.quit()  # it has the letter, however it says good-bye


@contextmanager
def _connected(at: Server) -> Iterator[smtplib.SMTP]:
    context = ssl.create_default_context()
    if at.is_tls:
        server: smtplib.SMTP = smtplib.SMTP_SSL(at.host, at.port, timeout=TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(at.host, at.port, timeout=TIMEOUT)
    try:
        server.ehlo_or_helo_if_needed()
        if not at.is_tls and not at.is_plain and (at.needs_tls or server.has_extn("starttls")):
            server.starttls(context=context)
        if at.user:
            server.login(at.user, at.password)
        yield server
    finally:
        server.close()


@contextmanager
def _understood() -> Iterator[None]:
    """Everything that can go wrong, as a MailError. 4xx passes, 5xx stays (RFC 5321, 4.2.1)."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as problem:
        ((code, said),) = list(problem.recipients.values())[:1]
        raise _refused("The mail server refuses the address", code, said) from problem
    except smtplib.SMTPAuthenticationError as problem:
        why = _said(problem.smtp_code, problem.smtp_error)
        raise MailError(f"The mail server refuses the user of SMTP_URL: {why}") from problem
    except (smtplib.SMTPConnectError, smtplib.SMTPHeloError) as problem:
        why = _said(problem.smtp_code, problem.smtp_error)
        raise MailError(f"The mail server does not let us in: {why}") from problem
    except smtplib.SMTPResponseException as problem:
        raise _refused(
            "The mail server refuses the message", problem.smtp_code, problem.smtp_error
        ) from problem
    except smtplib.SMTPNotSupportedError as problem:
        words = "The mail server cannot do what SMTP_URL asks for (TLS, or signing in)."
        raise MailError(words) from problem
    except ssl.SSLError as problem:
        why = getattr(problem, "verify_message", "") or problem.reason or "no TLS"
        words = f"The mail server's certificate is not trusted: {why}."
        raise MailError(words) from problem
    except (smtplib.SMTPException, OSError) as problem:
        is_slow = isinstance(problem.__context__ or problem, TimeoutError)
        why = "did not answer in time" if is_slow else "could not be reached"
        raise MailError(f"The mail server {why}.") from problem
    except UnicodeError as problem:
        words = "The address has letters that the mail server does not take."
        raise MailError(words, is_final=True) from problem


def _refused(what: str, code: int, said: bytes | str) -> MailError:
    return MailError(f"{what}: {_said(code, said)}", is_final=500 <= code < 600)


def _said(code: int, said: bytes | str) -> str:
    """The server's own words, short, on one line."""
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(text.split())}"[:200]
