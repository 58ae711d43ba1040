"""Bounds on the memory that a test takes."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

MEGABYTE = 1_000_000


@contextmanager
def at_most(megabytes: int) -> Iterator[None]:
    """Fails for what takes more memory."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < megabytes * MEGABYTE
    finally:
        tracemalloc.stop()
