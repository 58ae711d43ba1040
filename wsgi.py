"""The WSGI entry point: ``gunicorn wsgi:app``."""

from jobauto.wsgi import app

__all__ = ["app"]
