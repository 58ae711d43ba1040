"""The application for a WSGI server: ``gunicorn jobauto.wsgi:app``."""

from .app import create_app
from .work.scheduler import start_in_web_process

app = create_app()
start_in_web_process(app)
