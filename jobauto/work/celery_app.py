"""The Celery app behind :mod:`jobauto.work.broker`. Nobody imports this but where a broker is configured."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps

from celery import Celery
from flask import Flask
from kombu.exceptions import OperationalError
from kombu.transport import TRANSPORT_ALIASES
from sqlalchemy.exc import DatabaseError

from ..config import ConfigError
from ..logs import LogEvent
from ..storage.connections import DatabaseNotReady, require_ready
from .broker import VARIABLE

log = logging.getLogger("job_automation")

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


@dataclass(frozen=True)
class CeleryQueue:
    """Work is left with a broker."""

    celery: Celery

    def send(self, task: str, ids: tuple[int, ...]) -> bool:
        """Leave a task; False, with a line in the log, where the broker is silent."""
        try:
            self.celery.send_task(task, ids)
        except OperationalError as error:
            log.error(LogEvent("broker-silent", task=task, error=error))  # noqa: TRY400 (a sentence; the work goes on)
            return False
        return True

    def serve(self, app: Flask, tasks: Mapping[str, Callable[..., object]]) -> Celery:
        """The Celery app of a worker, which does these tasks."""
        for name, work in tasks.items():
            task = self.celery.task(
                name=name, autoretry_for=AWAY, default_retry_delay=RETRY_SECONDS, max_retries=RETRIES
            )
            task(_in_context(app, work))
        return self.celery


def queue_of(app: Flask) -> CeleryQueue:
    """The queue of the configured broker. Raises ConfigError."""
    url: str = app.config["CELERY_BROKER_URL"]
    scheme, found, _ = url.partition("://")
    if not found or scheme.split("+")[0] not in TRANSPORT_ALIASES:
        raise ConfigError(f"{VARIABLE} is not the address of a broker, such as redis://host:6379/0")
    celery = Celery(app.name, broker=url, set_as_current=False)
    celery.conf.update(SETTINGS, broker_transport_options=REDIS if scheme.startswith("redis") else {})
    return CeleryQueue(celery)


def _in_context(app: Flask, work: Callable[..., object]) -> Callable[..., None]:
    @wraps(work)
    def task(*ids: int) -> None:
        with app.app_context():
            require_ready()
            work(*ids)

    return task
