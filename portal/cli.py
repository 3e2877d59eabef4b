"""What can be done on the command line? Each command: read the input, one call, print the result.

Ids and keys are printed alone on standard output; refusals are a sentence on standard error.
"""

import gc
import getpass
import json
import os
import sys
from typing import Any, NoReturn

import click
import flask_migrate
from flask import Flask
from sqlalchemy.exc import OperationalError, ProgrammingError

from portal import create_app, demo, diagnosis, doctor, pretend_slack, private_postgres
from portal.connections import connected
from portal.domain.accounts import operations as accounts
from portal.domain.accounts import queries, sign_ins
from portal.domain.accounts.permissions import Role
from portal.domain.escalation import queries as escalation
from portal.domain.routing import operations as routing
from portal.domain.routing.drafts import ActionDraft
from portal.domain.sources import operations as sources
from portal.domain.sources import queries as source_queries
from portal.domain.sources.models import TYPES
from portal.errors import PortalError
from portal.jobs import engine
from portal.processes import CannotRun
from portal.settings import LOOPBACK, SettingsError, load
from portal.slack import encryption
from portal.slack import manifest as manifest_of


def main() -> None:
    """The entry point `tocsin`: expected refusals become one sentence and exit code 1."""
    try:
        tocsin()
    except (PortalError, SettingsError, private_postgres.CannotStart, CannotRun) as problem:
        sys.exit(str(problem))
    except ProgrammingError as problem:
        _no_tables(problem)
    except OperationalError as problem:
        sys.exit(f"The database does not answer: {' '.join(str(problem.orig).split())}")
    except UnicodeError:
        sys.exit("What was typed or piped in is not UTF-8.")
    except OSError as problem:
        if problem.filename is None:
            raise
        sys.exit(f"{problem.filename}: {problem.strerror}")


def _no_tables(problem: ProgrammingError) -> NoReturn:
    if getattr(problem.orig, "sqlstate", None) != "42P01":  # undefined_table
        raise problem
    sys.exit("The database has no tables of this version yet: run `tocsin db upgrade`.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tocsin")
def tocsin() -> None:
    """Tocsin carries alerts into Slack and lets people answer them there."""


@tocsin.group("db")
def database() -> None:
    """The database's tables."""


@database.command()
def upgrade() -> None:
    """Bring the tables to this version. Safe to repeat."""
    with connected(create_app()):
        flask_migrate.upgrade()


def _from_stdin(context: click.Context, option: click.Parameter, given: bool) -> str:
    """A password on the command line could be read by every process of the machine."""
    if not given:
        raise click.UsageError("Give the password on standard input, with --password-stdin.")
    if sys.stdin.isatty():  # somebody types it: not for those who look at the screen
        return getpass.getpass("Password: ")
    return sys.stdin.readline().rstrip("\r\n")


password_option = click.option(
    "--password-stdin",
    "password",
    is_flag=True,
    callback=_from_stdin,
    help="Read the password from the first line of standard input, or ask for it on a terminal.",
)
account_option = click.option("--account", required=True, metavar="NAME", help="The account.")


@tocsin.group()
def account() -> None:
    """Accounts, which are the tenants."""


@account.command("create")
@click.argument("name")
@click.option("--admin-email", required=True)
@click.option("--admin-name", default="", help="By default the e-mail address up to the @.")
@password_option
def create_account(name: str, admin_email: str, admin_name: str, password: str) -> None:
    """Create an account and its owner; print the account's id."""
    with connected(create_app()):
        created = accounts.create_account(
            name,
            admin_email=admin_email,
            admin_name=admin_name or admin_email.partition("@")[0],
            password=password,
        )
        click.echo(created.id)


@tocsin.group()
def user() -> None:
    """The people of an account, and support staff."""


@user.command("create")
@click.option("--account", "account_name", metavar="NAME", help="Not with --role support.")
@click.option("--email", required=True)
@click.option("--name", required=True)
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@password_option
def create_user(account_name: str | None, email: str, name: str, role: str, password: str) -> None:
    """Create a person; print their id."""
    with connected(create_app()):
        account = queries.account_named(account_name) if account_name else None
        person = accounts.create_user(
            account=account, email=email, name=name, role=Role(role), password=password
        )
        click.echo(person.id)


@user.command("reset-password")
@click.option("--email", required=True)
@password_option
def reset_password(email: str, password: str) -> None:
    """Replace a forgotten password, also an owner's; the person is signed out everywhere."""
    with connected(create_app()):
        person = sign_ins.reset_password(email, password)
        click.echo(f"{person.name} has the new password and is signed out everywhere.")


@tocsin.group()
def source() -> None:
    """Alert sources."""


@source.command("create")
@account_option
@click.option("--name", required=True)
@click.option("--type", "kind", type=click.Choice(list(TYPES)), default="api", show_default=True)
@click.option("--policy", metavar="NAME", help="The escalation policy: who is asked.")
def create_source(account: str, name: str, kind: str, policy: str | None) -> None:
    """Create an alert source; print its integration key, which is never shown again."""
    with connected(create_app()):
        owner = queries.account_named(account)
        chosen = escalation.policy_named(owner, policy) if policy else None
        _, key = sources.create(
            account=owner,
            name=name,
            type=kind,
            escalation_policy_id=chosen.id if chosen else None,
            by=None,
        )
        click.echo(key)


@tocsin.group()
def action() -> None:
    """Alert actions: which sources post to which channel."""


@action.command("create")
@account_option
@click.option("--source", "names", required=True, multiple=True, help="May be repeated.")
@click.option("--channel", required=True, metavar="C012…", help="Slack's id of the channel.")
@click.option("--channel-name", default="", help="Only for showing.")
def create_action(account: str, names: tuple[str, ...], channel: str, channel_name: str) -> None:
    """Send the alerts of these sources to a channel; print the action's id."""
    with connected(create_app()):
        owner = queries.account_named(account)
        sources = [source_queries.source_named(owner, name) for name in names]
        draft = ActionDraft(sources=sources, channels=[(channel, channel_name)])
        created = routing.create(draft, account=owner, by=None)
        click.echo(created.id)


def _address(context: click.Context, option: click.Parameter, bind: str) -> str:
    port = bind.rpartition(":")[2]
    if ":" not in bind or not (port.isascii() and port.isdecimal() and int(port) < 2**16):
        raise click.UsageError(f"--bind needs HOST:PORT, for instance {option.default}.")
    return bind


def _app_that_stays() -> Flask:
    """Looking for garbage among everything that was imported would stop all threads for 150 ms."""
    app = create_app()
    gc.collect()
    gc.freeze()
    return app


@tocsin.command()
@click.option(
    "--bind",
    default="127.0.0.1:8000",
    show_default=True,
    metavar="HOST:PORT",
    callback=_address,
)
def serve(bind: str) -> None:
    """Answer browsers, Slack and monitoring tools, until SIGTERM."""
    from portal.server import Server  # gunicorn does not exist on Windows, the rest does

    Server(_app_that_stays(), bind).run()


@tocsin.command()
def worker() -> None:
    """Do the work that happens later, for instance speak to Slack, until SIGTERM."""
    engine.work(_app_that_stays())


@tocsin.command()
@click.option(
    "--bind",
    default="127.0.0.1:8001",
    show_default=True,
    metavar="HOST:PORT",
    callback=_address,
)
@click.option("--state", metavar="FILE", help="Keep the pretend workspaces in this file.")
@click.option("--allow-remote", is_flag=True, help="Allow an address that others can reach.")
def sandbox(bind: str, state: str | None, allow_remote: bool) -> None:
    """Run a pretend Slack, for the demo and for trying things out."""
    host, _, port = bind.rpartition(":")
    if host.strip("[]") not in LOOPBACK and not allow_remote:
        raise click.UsageError(
            f"{host or 'Every address'} can be reached from outside, and the sandbox trusts"
            " everybody. If you mean it, add --allow-remote."
        )
    os.environ.setdefault("APP_ENV", "development")  # a pretend Slack is never production
    pretend_slack.serve(load(), host.strip("[]"), int(port), state)


@tocsin.group()
def keys() -> None:
    """The keys that encrypt Slack's tokens."""


@keys.command()
def rotate() -> None:
    """Encrypt everything with the first of ENCRYPTION_KEYS. Safe while the portal runs.

    Put the new key first and keep the old one behind it, restart serve and worker, run this, then
    take the old key away.
    """
    with connected(create_app()):
        changed = encryption.rotate()
        closed = list(encryption.closed())
    click.echo(f"{changed} values are encrypted with the first key now.")
    if closed:
        raise click.ClickException(f"No key opens {', '.join(closed)}: see `tocsin doctor`.")


@tocsin.command()
def manifest() -> None:
    """Print the manifest of the Slack app that fits this installation."""
    click.echo(json.dumps(manifest_of.build(load().PUBLIC_URL), indent=2))


@tocsin.command("doctor")
@click.pass_context
def examine(context: click.Context) -> None:
    """Say what is missing or wrong, in words. Exit code 1 if something is wrong."""
    findings = list(doctor.examine())
    for finding in findings:
        click.echo(f"{finding.verdict:<5} {finding.words}")
    context.exit(any(finding.verdict == diagnosis.WRONG for finding in findings))


@tocsin.command("demo")
@click.option("--fresh", is_flag=True, help="Forget the earlier demo and begin anew.")
@click.option("--port", default=8000, show_default=True, help="The portal's port.")
@click.option("--sandbox-port", default=8001, show_default=True, help="The pretend Slack's port.")
def run_demo(**options: Any) -> None:
    """Run everything on this machine, with a pretend Slack, until Ctrl-C."""
    demo.run(**options)


if __name__ == "__main__":
    main()
