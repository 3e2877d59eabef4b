"""Does a letter reach a real mail server, and is every way of failing told in words?"""

import socket
import ssl
import threading
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask

from portal.mail import smtp
from portal.mail.smtp import MailError
from tests.mail.conftest import SENDER, Postman, Start, accepts, use

CREDENTIALS = "me%40example.com:se%3Acret%40"


def a_letter(to: str = "ada@example.com") -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = SENDER, to, "Hello"
    letter.set_content("Disk full")
    return letter


def refused(app: Flask) -> MailError:
    with app.app_context(), pytest.raises(MailError) as found:
        smtp.send(a_letter())
    return found.value


def test_a_letter_arrives(app: Flask, mail: Postman) -> None:
    with app.app_context():
        smtp.send(a_letter())
    (letter,) = mail.letters
    assert (letter["To"], letter["Subject"]) == ("ada@example.com", "Hello")


@pytest.mark.parametrize("step", ["RCPT", "DATA"])
@pytest.mark.parametrize(("code", "is_final"), [("451 4.3.0 Busy", False), ("550 5.1.1 No", True)])
def test_what_the_server_says_decides_whether_to_try_again(
    app: Flask, mail: Postman, step: str, code: str, is_final: bool
) -> None:
    mail.says[step] = [code]
    problem = refused(app)
    assert (problem.is_final, problem.may_have_happened) == (is_final, False)
    assert str(problem).endswith(code)
    with app.app_context():
        smtp.send(a_letter())  # the next one gets through


def test_a_server_that_hangs_is_left_after_a_while(
    app: Flask, mail: Postman, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "TIMEOUT", 0.3)
    mail.hangs_at_data = True
    problem = refused(app)
    assert (problem.is_final, problem.may_have_happened) == (False, True)
    assert "stopped answering in the middle" in str(problem)


def test_a_server_that_says_nothing_at_all_is_left_too(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use(app, monkeypatch, f"smtp://127.0.0.1:{silent.getsockname()[1]}")
        problem = refused(app)
    assert (str(problem), problem.may_have_happened) == (
        "The mail server did not answer in time.",
        False,
    )


def test_a_server_that_is_not_there_is_said(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    use(app, monkeypatch, "smtp://127.0.0.1:9")
    assert str(refused(app)) == "The mail server could not be reached."


def test_a_server_that_breaks_off_at_the_good_bye_has_the_letter(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trying again would make it two."""

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 here\r\n")
            for line in lines:
                if line.upper().startswith(b"QUIT"):
                    return
                if line.upper().startswith(b"DATA"):
                    connection.sendall(b"354 go on\r\n")
                    while lines.readline() != b".\r\n":
                        pass
                connection.sendall(b"250 OK\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=[listening])
        thread.start()
        use(app, monkeypatch, f"smtp://127.0.0.1:{listening.getsockname()[1]}")
        with app.app_context():
            smtp.send(a_letter())
        thread.join()


def test_a_password_is_only_given_over_tls_that_is_trusted(
    app: Flask,
    start: Start,
    postman: Postman,
    certificate: tuple[ssl.SSLContext, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context, trusted = certificate
    server = start(
        tls_context=context, require_starttls=True, authenticator=accepts, auth_required=True
    )
    use(app, monkeypatch, f"smtp://{CREDENTIALS}@localhost:{server.port}")
    assert "certificate is not trusted" in str(refused(app))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with app.app_context():
        smtp.send(a_letter())
    assert postman.was_encrypted == [True]
    use(app, monkeypatch, f"smtp://me:wrong@localhost:{server.port}")
    problem = refused(app)
    assert "refuses the user of SMTP_URL" in str(problem)
    assert "wrong" not in str(problem)


def test_a_password_is_never_given_in_plain(
    app: Flask, start: Start, postman: Postman, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start(authenticator=accepts, auth_require_tls=False)
    use(app, monkeypatch, f"smtp://{CREDENTIALS}@127.0.0.1:{server.port}")
    assert "cannot do what SMTP_URL asks for" in str(refused(app))
    assert postman.letters == []


def test_smtps_speaks_tls_from_the_start(
    app: Flask,
    start: Start,
    postman: Postman,
    certificate: tuple[ssl.SSLContext, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context, trusted = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    server = start(ssl_context=context)
    use(app, monkeypatch, f"smtps://localhost:{server.port}")
    with app.app_context():
        smtp.send(a_letter())
    assert len(postman.letters) == 1


def test_an_address_that_the_server_cannot_write_is_refused_for_good(
    app: Flask, mail: Postman
) -> None:
    with app.app_context(), pytest.raises(MailError) as found:
        smtp.send(a_letter("ada@exämple\udcff.com"))
    assert found.value.is_final
