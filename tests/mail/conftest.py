"""What do the tests of the mail edge stand on? A real SMTP server on this machine."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask

SENDER = "Tocsin <tocsin@example.com>"


class Postman:
    """Takes what it is given, or answers what a test wants at RCPT or DATA."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.was_encrypted: list[bool] = []
        self.says: dict[str, list[str]] = {"RCPT": [], "DATA": []}
        self.hangs_at_data = False
        self.hung = threading.Event()

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.says["RCPT"]:
            return self.says["RCPT"].pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.hangs_at_data:
            self.hung.set()
            while self.hangs_at_data:
                await asyncio.sleep(0.02)
            return "451 Too late"
        if self.says["DATA"]:
            return self.says["DATA"].pop(0)
        letter = message_from_bytes(envelope.content, policy=policy.default)
        self.letters.append(cast(EmailMessage, letter))
        self.was_encrypted.append(session.ssl is not None)
        return "250 OK"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


Start = Callable[..., Controller]


@pytest.fixture
def postman() -> Postman:
    return Postman()


@pytest.fixture
def start(postman: Postman) -> Iterator[Start]:
    """Start a server that gives its letters to the postman; further arguments are aiosmtpd's."""
    started: list[Controller] = []

    def begin(**options: Any) -> Controller:
        server = Controller(postman, hostname="127.0.0.1", port=free_port(), **options)
        server.start()
        started.append(server)
        return server

    yield begin
    postman.hangs_at_data = False
    for server in started:
        server.stop()


@pytest.fixture
def mail(app: Flask, start: Start, monkeypatch: pytest.MonkeyPatch, postman: Postman) -> Postman:
    """The app has a mail server, and this is what it got."""
    use(app, monkeypatch, f"smtp://127.0.0.1:{start().port}")
    return postman


def use(app: Flask, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setitem(app.config, "SMTP_URL", url)
    monkeypatch.setitem(app.config, "MAIL_FROM", SENDER)


def accepts(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    is_right = (data.login, data.password) == (b"me@example.com", b"se:cret@")
    return AuthResult(success=is_right, handled=is_right)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A server's context, and the file by which a client can trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    moment = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(days=1))
        .not_valid_after(moment + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert_file, key_file)
    return context, cert_file
