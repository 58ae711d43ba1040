"""Handing work to Celery workers, where a broker is configured.

Delivery is at least once: a message is acknowledged when its work is done, not when it is taken, so that
a worker that dies in between gives it back. It then comes a second time to work that may be half done
or done. Nothing here prevents that; the claims in the database make it harmless.
"""

from importlib import import_module
from typing import Protocol

from flask import Flask, current_app

from ..config import PREFIX, ConfigError

VARIABLE = f"{PREFIX}CELERY_BROKER_URL"
BACKEND = "jobauto.work.celery_app"
"""Loaded only where a broker is configured: Celery takes half a second, and may not be installed."""
_QUEUE = "jobauto_queue"


class Queue(Protocol):
    """Where work is left for workers."""

    def send(self, task: str, ids: tuple[int, ...]) -> bool:
        """Leave a task; False where nobody took it."""


def init_app(app: Flask) -> None:
    """Make the queue, if a broker is configured. Raises ConfigError."""
    if not app.config["CELERY_BROKER_URL"]:
        return
    try:
        backend = import_module(BACKEND)
    except ImportError as error:
        raise ConfigError(
            f"{VARIABLE} is set, but Celery is not installed: pip install 'jobauto[celery]'"
        ) from error
    app.extensions[_QUEUE] = backend.queue_of(app)


def is_configured() -> bool:
    """Whether work is meant for workers."""
    return _QUEUE in current_app.extensions


def enqueue(task: str, *ids: int) -> bool:
    """Leave a task to a worker. False where none is configured or the broker is silent: do it yourself."""
    return is_configured() and queue(current_app).send(task, ids)


def queue(app: Flask) -> Queue:
    """The queue. Raises ConfigError where no broker is configured."""
    if _QUEUE not in app.extensions:
        raise ConfigError(f"{VARIABLE} is empty: there is no queue from which a worker could take work")
    found: Queue = app.extensions[_QUEUE]
    return found
