"""Where does any WSGI server find the portal? Here: `gunicorn wsgi:app`."""

from portal import create_app

app = create_app()
