"""Eight processes that race."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime

import pytest

from tests.processes import PATIENCE
from tests.runs import workers

RACERS = 8

Race = Callable[[Callable[[str, datetime], str], str, datetime], list[str]]


@pytest.fixture(scope="session")
def race() -> Iterator[Race]:
    """Let eight processes do the same at the same moment; what came of it, sorted."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", workers.__name__])
    barrier = context.Barrier(RACERS)
    with ProcessPoolExecutor(RACERS, context, workers.prepare, (barrier,)) as pool:

        def run_race(act: Callable[[str, datetime], str], database_uri: str, at: datetime) -> list[str]:
            racing = [pool.submit(act, database_uri, at) for _ in range(RACERS)]
            return sorted(racer.result(PATIENCE) for racer in racing)

        yield run_race
