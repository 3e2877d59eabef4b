"""How many requests a second does an address answer? Raw sockets, so that senders cost little."""

import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

Body = Callable[[int], dict[str, Any]]


def rate(
    url: str, body: Body, *, senders: int = 4, seconds: float = 4.0, status: int = 202
) -> tuple[float, list[float]]:
    """Requests a second, each on a kept connection and after the last answer; and how each waited.

    `body` makes the JSON of the n-th request. Any other status than the expected one fails.
    """
    address = urlsplit(url)
    numbers = iter(range(10**9))
    stop_at = time.monotonic() + seconds
    waited: list[float] = []
    problems: list[str] = []

    def run() -> None:
        with socket.create_connection((address.hostname or "", address.port or 80)) as connection:
            reader = connection.makefile("rb")
            while time.monotonic() < stop_at and not problems:
                content = json.dumps(body(next(numbers))).encode()
                head = (
                    f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
                    "Content-Type: application/json\r\n"
                    f"Content-Length: {len(content)}\r\n\r\n"
                ).encode()
                begun = time.monotonic()
                connection.sendall(head + content)
                answered = _status(reader)
                waited.append(time.monotonic() - begun)
                if answered != status:
                    problems.append(f"HTTP {answered}")

    def watched() -> None:
        try:
            run()
        except OSError as problem:
            problems.append(repr(problem))

    threads = [threading.Thread(target=watched) for _ in range(senders)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems, problems
    return len(waited) / (time.monotonic() - begun), waited


def _status(reader: Any) -> int:
    status, length = int(reader.readline().split()[1]), 0
    while line := reader.readline().strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    reader.read(length)
    return status
