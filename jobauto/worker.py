"""The application for Celery workers: ``celery --app jobauto.worker worker``."""

import sys

from celery import signals

from . import create_app
from .config import ConfigError
from .work.broker import celery_of

try:
    app = celery_of(create_app())
except ConfigError as error:
    sys.exit(f"Error: {error}")  # Celery would show a traceback


@signals.setup_logging.connect
def _keep_our_log(**_: object) -> None:
    """With a receiver, even one that does nothing, Celery leaves logging as the application has set it up."""
