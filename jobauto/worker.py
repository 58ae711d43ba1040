"""The application for Celery workers: ``celery --app jobauto.worker worker``."""

import sys
from typing import TYPE_CHECKING, cast

from celery import signals

from .config import ConfigError
from .core import create_core
from .work import broker, tasks

if TYPE_CHECKING:
    from .work.celery_app import CeleryQueue

try:
    core = create_core()
    app = cast("CeleryQueue", broker.queue(core)).serve(core, tasks.TASKS)
except ConfigError as error:
    sys.exit(f"Error: {error}")  # Celery would show a traceback


@signals.setup_logging.connect
def _keep_our_log(**_: object) -> None:
    """With a receiver, even one that does nothing, Celery leaves logging as the application has set it up."""
