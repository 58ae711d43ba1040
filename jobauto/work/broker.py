"""Handing work to Celery workers, where a broker is configured.

Delivery is at least once: a message is acknowledged when its work is done, not when it is taken, so that
a worker that dies in between gives it back. It then comes a second time to work that may be half done
or done. Nothing here prevents that; the claims in the database make it harmless.
"""

import logging
from collections.abc import Callable, Mapping
from functools import wraps

from flask import Flask, current_app
from sqlalchemy.exc import DatabaseError

from ..config import PREFIX, ConfigError
from ..logs import LogEvent
from ..storage.connections import DatabaseNotReady, require_ready

try:
    from celery import Celery
    from kombu.exceptions import OperationalError
    from kombu.transport import TRANSPORT_ALIASES
except ImportError:
    Celery = None  # type: ignore[assignment,misc] # the extra jobauto[celery] is not installed

log = logging.getLogger("job_automation")

VARIABLE = f"{PREFIX}CELERY_BROKER_URL"
EXTENSION = "celery"

SETTINGS = {
    "task_default_queue": "jobauto",
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,  # a child that was killed gives its message back at once
    "task_ignore_result": True,  # the page reads the database
    "task_publish_retry_policy": {"max_retries": 1, "interval_start": 0},  # somebody waits for the page
    "worker_prefetch_multiplier": 1,  # no message waits behind a long import while another worker is free
    "broker_connection_retry_on_startup": True,
}
REDIS = {
    "visibility_timeout": 300,  # seconds until the message of a machine that lost its power comes again
    "socket_connect_timeout": 2,  # somebody who pressed a button waits for a broker that is silent,
    "socket_timeout": 5,  # but not for ever
}
AWAY = (DatabaseNotReady, DatabaseError)
RETRY_SECONDS, RETRIES = 20, 30
"""A database that is away is asked as often as the tick asks it, while a request for a run is good."""


def init_app(app: Flask, tasks: Mapping[str, Callable[..., object]]) -> None:
    """Make the Celery app, if a broker is configured. Raises ConfigError."""
    url: str = app.config["CELERY_BROKER_URL"]
    if not url:
        return
    if Celery is None:
        raise ConfigError(f"{VARIABLE} is set, but Celery is not installed: pip install 'jobauto[celery]'")
    scheme, found, _ = url.partition("://")
    if not found or scheme.split("+")[0] not in TRANSPORT_ALIASES:
        raise ConfigError(f"{VARIABLE} is not the address of a broker, such as redis://host:6379/0")
    celery = Celery(app.name, broker=url, set_as_current=False)
    celery.conf.update(SETTINGS, broker_transport_options=REDIS if scheme.startswith("redis") else {})
    for name, work in tasks.items():
        celery.task(name=name, autoretry_for=AWAY, default_retry_delay=RETRY_SECONDS, max_retries=RETRIES)(
            _in_context(app, work)
        )
    app.extensions[EXTENSION] = celery


def is_configured() -> bool:
    """Whether work is meant for workers."""
    return EXTENSION in current_app.extensions


def enqueue(task: str, *ids: int) -> bool:
    """Leave a task to a worker. False where none is configured or the broker is silent: do it yourself."""
    if not is_configured():
        return False
    try:
        celery_of(current_app).send_task(task, ids)
    except OperationalError as error:
        log.error(LogEvent("broker-silent", task=task, error=error))  # noqa: TRY400 (a sentence; the work goes on)
        return False
    return True


def celery_of(app: Flask) -> "Celery":
    """The Celery app. Raises ConfigError where no broker is configured."""
    if EXTENSION not in app.extensions:
        raise ConfigError(f"{VARIABLE} is empty: there is no queue from which a worker could take work")
    celery: Celery = app.extensions[EXTENSION]
    return celery


def _in_context(app: Flask, work: Callable[..., object]) -> Callable[..., None]:
    @wraps(work)
    def task(*ids: int) -> None:
        with app.app_context():
            require_ready()
            work(*ids)

    return task
