"""What would the least possible cost? A Flask view that verifies a signature and inserts one row."""

import hashlib
import hmac
import os

import psycopg
from flask import Flask, request
from psycopg_pool import ConnectionPool

SECRET = b"a secret"


def app() -> Flask:
    """For gunicorn, with as many processes and threads as the portal has."""
    bare = Flask(__name__)
    url = os.environ["DATABASE_URL"].replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS bare (id bigserial PRIMARY KEY, body text)")
    pool = ConnectionPool(url, min_size=4, open=True)

    @bare.post("/")
    def insert() -> tuple[str, int]:
        body = request.get_data()
        hmac.compare_digest(hmac.new(SECRET, body, hashlib.sha256).hexdigest(), "0" * 64)
        with pool.connection() as connection:
            connection.execute("INSERT INTO bare (body) VALUES (%s)", (body.decode(),))
        return "", 202

    return bare
