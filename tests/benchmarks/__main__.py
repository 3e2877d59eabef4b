"""How fast are events accepted? A real server and PostgreSQL, events over HTTP: `make bench`."""

import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import chain
from pathlib import Path

from portal import private_postgres

EVENTS, CLIENTS = 2000, 8
TOCSIN = [sys.executable, "-m", "portal.cli"]


def main() -> None:
    """Make a home of its own, measure, print, and leave nothing behind."""
    home = Path(tempfile.mkdtemp(prefix="tocsin-"))
    home.chmod(0o711)  # so that PostgreSQL's user gets through
    database = private_postgres.url(home / "postgres")
    os.environ |= {
        "APP_ENV": "development",
        "DATABASE_URL": database,
        "TOCSIN_HOME": str(home),
        "LOG_LEVEL": "WARNING",
        "EVENTS_PER_MINUTE": "10000000",
    }
    try:
        measure(prepared())
    finally:
        private_postgres.stop(home / "postgres")
        shutil.rmtree(home)


def prepared() -> str:
    """A migrated database with one source; returns its integration key."""
    tocsin("db", "upgrade")
    who = ["--admin-email", "bench@acme.example", "--password-stdin"]
    tocsin("account", "create", "Bench", *who, typed="a password for nobody")
    return tocsin("source", "create", "--account", "Bench", "--name", "Bench").strip()


def tocsin(*arguments: str, typed: str = "") -> str:
    command = [*TOCSIN, *arguments]
    done = subprocess.run(command, input=typed, check=True, stdout=subprocess.PIPE, text=True)
    return str(done.stdout)


def measure(key: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with subprocess.Popen([*TOCSIN, "serve", "--bind", f"127.0.0.1:{port}"]) as server:
        try:
            wait_until_open(port)
            started = time.monotonic()
            with ThreadPoolExecutor(CLIENTS) as clients:
                shares = [range(number, EVENTS, CLIENTS) for number in range(CLIENTS)]
                took = sorted(chain(*clients.map(lambda share: send(port, key, share), shares)))
            seconds = time.monotonic() - started
        finally:
            server.terminate()
    milliseconds = [1000 * one for one in (statistics.median(took), took[int(0.95 * len(took))])]
    print(f"{EVENTS} events, each a new alert, from {CLIENTS} clients: {EVENTS / seconds:.0f}/s")
    print("median {:.1f} ms, 95 of 100 within {:.1f} ms".format(*milliseconds))


def wait_until_open(port: int) -> None:
    for _ in range(600):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise SystemExit("The server did not start.")


def send(port: int, key: str, numbers: range) -> list[float]:
    """Send these events one after the other; returns how long each took."""
    connection, took = http.client.HTTPConnection("127.0.0.1", port, timeout=30), []
    for number in numbers:
        event = {"integrationKey": key, "eventType": "ALERT", "alertKey": f"bench-{number}"}
        body = json.dumps(event | {"summary": f"Disk {number} is full"})
        before = time.monotonic()
        connection.request("POST", "/api/events", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        took.append(time.monotonic() - before)
        if answer.status != 202:
            raise SystemExit(f"An event was answered with {answer.status}.")
    connection.close()
    return took


if __name__ == "__main__":
    main()
