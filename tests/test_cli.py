"""Do the commands do what they say, on a real database, and refuse in words?"""

import fcntl
import io
import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import termios
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from flask import Flask

from portal.cli import main
from portal.db import db
from portal.domain.accounts import queries
from portal.domain.accounts.permissions import Role
from portal.domain.accounts.secrets import password_fits
from portal.domain.audit.actions import AuditAction
from portal.domain.audit.models import AuditEntry
from portal.domain.routing.models import AlertAction
from portal.domain.sources.queries import by_integration_key
from portal.settings import Settings
from portal.slack.installations import Revocation
from tests.make import PASSWORD, make_account, make_policy, make_source, make_user, sign_in

ROOT = Path(__file__).parent.parent


@dataclass
class Answer:
    code: int
    out: str
    error: str


Tocsin = Callable[..., Answer]


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    """The settings of the other tests, as the environment of a process."""
    values = settings.model_dump(exclude={"TOCSIN_HOME"})
    as_text = {k: ",".join(v) if isinstance(v, list) else str(v) for k, v in values.items()}
    return {**os.environ, **as_text, "TOCSIN_HOME": str(settings.TOCSIN_HOME)}


@pytest.fixture
def tocsin(
    app: Flask,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Tocsin:
    """Run a command by its entry point, without the seconds that a process takes to start."""

    def run(*arguments: str, typed: str = "", **changed: str) -> Answer:
        with monkeypatch.context() as patch:
            for name, value in (environment | changed).items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["tocsin", *arguments])
            patch.setattr(sys, "stdin", io.StringIO(typed))
            with pytest.raises(SystemExit) as end:
                sys.exit(main())
        said = capsys.readouterr()
        code = end.value.code
        if isinstance(code, str):  # the interpreter prints it
            return Answer(1, said.out, f"{said.err}{code}\n")
        return Answer(code or 0, said.out, said.err)

    return run


@pytest.fixture
def process(app: Flask, environment: dict[str, str]) -> Tocsin:
    """Run a command as a process of its own, so that exit code and both outputs are the real ones."""

    def run(*arguments: str, typed: str = "", **changed: str) -> Answer:
        done = subprocess.run(
            [sys.executable, "-m", "portal.cli", *arguments],
            input=typed,
            env=environment | changed,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    return run


def test_an_account_is_created_with_its_owner_and_its_id_is_printed_alone(
    process: Tocsin, app: Flask
) -> None:
    created = process(
        "account", "create", "Acme", "--admin-email", "olivia@acme.example", "--password-stdin",
        typed=f"{PASSWORD}\n",
    )  # fmt: skip

    with app.app_context():
        account = queries.account_named("Acme")
        owner = queries.by_email("olivia@acme.example")
        assert owner is not None
        assert (created.code, created.out) == (0, f"{account.id}\n")
        assert (owner.role, owner.name, owner.account_id) == (Role.OWNER, "olivia", account.id)
        assert password_fits(owner.password_hash, PASSWORD)


def test_support_staff_are_created_outside_all_accounts(tocsin: Tocsin, app: Flask) -> None:
    created = tocsin(
        "user", "create", "--email", "sam@tocsin.example", "--name", "Sam",
        "--role", "support", "--password-stdin", typed=PASSWORD,
    )  # fmt: skip

    with app.app_context():
        sam = queries.by_email("sam@tocsin.example")
        assert sam is not None
        assert (created.code, created.out) == (0, f"{sam.id}\n")
        assert sam.account is None


def test_the_printed_integration_key_belongs_to_the_new_source(tocsin: Tocsin, app: Flask) -> None:
    with app.app_context():
        make_account("Acme")

    created = tocsin(
        "source", "create", "--account", "Acme", "--name", "Prometheus", "--type", "prometheus"
    )

    with app.app_context():
        source = by_integration_key(created.out.removesuffix("\n"))
        assert (source.name, source.type) == ("Prometheus", "prometheus")


def test_a_source_gets_the_policy_that_is_named(tocsin: Tocsin, app: Flask) -> None:
    with app.app_context():
        acme = make_account("Acme")
        policy = make_policy(acme, [make_user(acme)], name="Platform")
        make_policy(make_account(), name="Foreign")

    source = ("source", "create", "--account", "Acme", "--name", "Prometheus", "--policy")
    refused = tocsin(*source, "Foreign")
    assert "has no escalation policy named “Foreign”" in refused.error
    key = tocsin(*source, "Platform").out.strip()

    with app.app_context():
        assert by_integration_key(key).escalation_policy_id == policy.id


def test_an_action_joins_several_sources_with_a_channel(tocsin: Tocsin, app: Flask) -> None:
    with app.app_context():
        acme = make_account("Acme")
        for name in ("one", "two"):
            make_source(acme, name=name)

    created = tocsin(
        "action", "create", "--account", "Acme", "--source", "one", "--source", "two",
        "--channel", "C0ALERTS", "--channel-name", "#alerts",
    )  # fmt: skip

    with app.app_context():
        action = db.session.get_one(AlertAction, int(created.out))
        assert [source.name for source in action.sources] == ["one", "two"]
        channels = [(each.channel_id, each.channel_name) for each in action.channels]
        assert channels == [("C0ALERTS", "alerts")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            "user create --account Nowhere --email a@b.example --name A --role user",
            "There is no account named “Nowhere”.",
        ),
        (
            "user create --account Acme --email a@b.example --name A --role support",
            "Support staff belong to no account, everybody else to one.",
        ),
        (
            "user create --account Acme --email nonsense --name A --role user",
            "Please give an e-mail address like ada@example.com.",
        ),
        (
            "action create --account Acme --source None --channel C0ALERTS",
            "The account “Acme” has no alert source named “None”.",
        ),
    ],
)
def test_a_refusal_is_one_sentence_and_exit_code_1(
    tocsin: Tocsin, app: Flask, arguments: str, said: str
) -> None:
    with app.app_context():
        make_account("Acme")
    password = ["--password-stdin"] if arguments.startswith("user") else []

    refused = tocsin(*arguments.split(), *password, typed=PASSWORD)

    assert (refused.code, refused.out, refused.error) == (1, "", f"{said}\n")


def test_a_password_is_only_taken_from_standard_input(tocsin: Tocsin) -> None:
    refused = tocsin("account", "create", "Acme", "--admin-email", "a@b.example")

    assert refused.code == 2
    assert "--password-stdin" in refused.error


def test_every_missing_setting_is_said_at_once_and_without_a_trace(process: Tocsin) -> None:
    refused = process("db", "upgrade", APP_ENV="production", SECRET_KEY="", ENCRYPTION_KEYS="")

    assert refused.code == 1
    assert "SECRET_KEY is missing" in refused.error
    assert "ENCRYPTION_KEYS is missing" in refused.error
    assert "Traceback" not in refused.error


def test_a_database_that_does_not_answer_is_said_in_one_sentence(tocsin: Tocsin) -> None:
    refused = tocsin(
        "source", "create", "--account", "Acme", "--name", "S",
        DATABASE_URL="postgresql://nobody:secret-word@127.0.0.1:9/none",
    )  # fmt: skip

    assert refused.code == 1
    assert refused.error.startswith("The database does not answer: ")
    assert "secret-word" not in refused.error
    assert "Traceback" not in refused.error


def test_the_migrations_can_be_run_again(tocsin: Tocsin) -> None:
    assert tocsin("db", "upgrade").code == 0


def test_the_printed_manifest_names_this_installation(tocsin: Tocsin) -> None:
    printed = tocsin("manifest", PUBLIC_URL="https://alerts.example.com")

    manifest = json.loads(printed.out)
    address = "https://alerts.example.com/slack/interactions"
    assert manifest["settings"]["interactivity"]["request_url"] == address


@pytest.mark.parametrize("command", ["serve", "sandbox"])
@pytest.mark.parametrize("bind", ["nonsense", "127.0.0.1:99999", "127.0.0.1:http"])
def test_an_address_that_is_none_is_refused_with_an_example(
    tocsin: Tocsin, command: str, bind: str
) -> None:
    refused = tocsin(command, "--bind", bind)

    assert refused.code == 2
    assert "--bind needs HOST:PORT, for instance 127.0.0.1:800" in refused.error


def test_a_folder_that_cannot_be_made_is_said_in_one_sentence(process: Tocsin) -> None:
    refused = process("worker", DATABASE_URL="", TOCSIN_HOME="/proc/nowhere/tocsin")

    assert refused.code == 1
    assert refused.error.startswith("/proc/nowhere")
    assert len(refused.error.splitlines()) == 1


def test_bytes_that_are_no_text_are_said_in_one_sentence(process: Tocsin) -> None:
    refused = process("source", "create", "--account", "\udcff", "--name", "S")

    assert (refused.code, refused.error) == (1, "What was typed or piped in is not UTF-8.\n")


def test_the_sandbox_refuses_an_address_that_others_can_reach(tocsin: Tocsin) -> None:
    refused = tocsin("sandbox", "--bind", "0.0.0.0:0")

    assert refused.code == 2
    assert "--allow-remote" in refused.error


def test_the_doctor_names_the_worker_that_is_missing(tocsin: Tocsin) -> None:
    said = tocsin("doctor")

    assert said.code == 1
    assert "ok    All migrations have run.\n" in said.out
    assert "WRONG No worker is running" in said.out


def test_the_doctor_says_what_slack_could_not_reach(tocsin: Tocsin) -> None:
    said = tocsin(
        "doctor", SLACK_API_URL="https://slack.com/api/", PUBLIC_URL="http://localhost:8000"
    )

    assert "WRONG PUBLIC_URL is http://localhost:8000" in said.out


def test_the_doctor_tries_the_mail_server(tocsin: Tocsin) -> None:
    assert "note  SMTP_URL is not set: nobody is told by e-mail." in tocsin("doctor").out
    said = tocsin("doctor", SMTP_URL="smtp://127.0.0.1:9", MAIL_FROM="Tocsin <tocsin@example.com>")
    assert "WRONG SMTP_URL does not work. The mail server could not be reached." in said.out
    assert said.code == 1


def test_the_doctor_counts_the_tokens_that_no_key_opens(tocsin: Tocsin, app: Flask) -> None:
    with app.app_context():
        acme = make_account("Acme")
        db.session.add(Revocation(account_id=acme.id, team_id="T0ACME", bot_token="xoxb-kept"))
        db.session.commit()

    assert "ok    ENCRYPTION_KEYS opens all stored" in tocsin("doctor").out
    said = tocsin("doctor", ENCRYPTION_KEYS=Fernet.generate_key().decode())
    assert "WRONG ENCRYPTION_KEYS no longer opens 1 of the stored Slack tokens" in said.out


def test_the_doctor_reports_wrong_settings_instead_of_stopping_at_them(tocsin: Tocsin) -> None:
    said = tocsin("doctor", PUBLIC_URL="nonsense")

    assert said.code == 1
    assert said.out.startswith("WRONG PUBLIC_URL")


def test_the_server_answers_and_ends_when_asked_to(app: Flask, environment: dict[str, str]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    serve = [sys.executable, "-m", "portal.cli", "serve", "--bind", address]
    with subprocess.Popen(serve, env=environment, cwd=ROOT, stderr=subprocess.PIPE) as server:
        try:
            deadline = time.monotonic() + 30
            while not _is_healthy(address):
                assert server.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        finally:
            server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0


def _is_healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_an_owner_who_forgot_the_password_gets_a_new_one(tocsin: Tocsin, app: Flask) -> None:
    with app.app_context():
        owner = make_user(role=Role.OWNER, name="Olivia", email="olivia@acme.example")
    browser = app.test_client()
    sign_in(browser, owner)
    reset = ("user", "reset-password", "--email", "Olivia@acme.example", "--password-stdin")
    done = tocsin(*reset, typed="a new long password\n")
    assert (done.code, done.error) == (0, "")
    assert done.out == "Olivia has the new password and is signed out everywhere.\n"
    with app.app_context():
        person = queries.by_email("olivia@acme.example")
        assert person is not None
        assert password_fits(person.password_hash, "a new long password")
        deed = db.session.scalars(db.select(AuditEntry)).one()
        assert (deed.action, deed.actor_name) == (AuditAction.PASSWORD_RESET, "the command line")
    assert browser.get("/profile").status_code == 303
    assert "10 to 200 characters" in tocsin(*reset, typed="short\n").error
    nobody = ("user", "reset-password", "--email", "x@acme.example", "--password-stdin")
    refused = tocsin(*nobody, typed="a new long password\n")
    assert (refused.code, refused.out) == (1, "")
    assert refused.error == "Nobody has the e-mail address x@acme.example.\n"


def test_a_password_typed_on_a_terminal_is_not_shown(
    app: Flask, environment: dict[str, str]
) -> None:
    arguments = [
        "account",
        "create",
        "Acme",
        "--admin-email",
        "olivia@acme.example",
        "--password-stdin",
    ]
    ours, theirs = pty.openpty()
    shown = b""
    with subprocess.Popen(
        [sys.executable, "-m", "portal.cli", *arguments],
        env=environment,
        cwd=ROOT,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_own_terminal,
    ) as process:
        while b"Password: " not in shown:
            assert select.select([ours], [], [], 30)[0], "nothing was asked"
            shown += os.read(ours, 1000)
        os.write(ours, f"{PASSWORD}\n".encode())
        printed, _ = process.communicate(timeout=60)
    os.set_blocking(ours, False)
    with suppress(BlockingIOError):
        shown += os.read(ours, 1000)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0
    assert PASSWORD.encode() not in shown
    with app.app_context():
        owner = queries.by_email("olivia@acme.example")
        assert owner is not None
        assert printed.decode().strip() == str(owner.account_id)
        assert password_fits(owner.password_hash, PASSWORD)


def _own_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
