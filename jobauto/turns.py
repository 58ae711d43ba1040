"""Few at once in a process, and few who wait: whoever waits holds a thread that pages need."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore


class NoTurn(Exception):
    """So many have their turn and wait for it that another one was not let in."""


class Turns:
    """So many have their turn ``at_once``; so many more wait ``in_line``, and the next one is told."""

    def __init__(self, at_once: int, in_line: int = 0) -> None:
        self._turns = BoundedSemaphore(at_once)
        self._places = BoundedSemaphore(at_once + in_line)

    @contextmanager
    def turn(self, patience: float | None = None) -> Iterator[None]:
        """One's turn. Raises NoTurn, also where it has not come after so many seconds."""
        if not self._places.acquire(blocking=False):
            raise NoTurn
        try:
            if not self._turns.acquire(timeout=patience):
                raise NoTurn
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._places.release()
