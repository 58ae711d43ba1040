"""What the tests with a broker share: a Redis, the program configured for it, and workers."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from tests import brokers
from tests.processes import Process, environment

Worker = Callable[..., AbstractContextManager[Process]]


@pytest.fixture
def port() -> int:
    """The port of the broker."""
    return brokers.free_port()


@pytest.fixture(autouse=True)
def _broker_is_configured(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBAUTO_CELERY_BROKER_URL", brokers.address_of(port))


@pytest.fixture
def redis(port: int, tmp_path: Path) -> Iterator[Process]:
    """The broker, up."""
    with brokers.redis(tmp_path, port) as process:
        yield process


@pytest.fixture
def env(database_uri: str, tmp_path: Path, port: int) -> dict[str, str]:
    """The environment of a worker that shares the program's database, folder and broker."""
    return environment(database_uri, tmp_path, JOBAUTO_CELERY_BROKER_URL=brokers.address_of(port))


@pytest.fixture
def worker(redis: Process, env: dict[str, str]) -> Worker:
    """Start a worker."""
    return partial(brokers.worker, env)
