"""Making the next thing while the last one is waited for."""

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Prefetch(Iterator[T], Generic[T]):
    """The same items, of which the next can be made before it is asked for."""

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._made: Future[T] | None = None

    def fetch(self) -> None:
        """Make the next item, unless it is made. What goes wrong in that is raised where it is asked for."""
        if self._made is not None:
            return
        made: Future[T] = Future()
        try:
            made.set_result(next(self._items))
        except Exception as error:  # also that there are no more
            made.set_exception(error)
        self._made = made

    def __next__(self) -> T:
        if self._made is None:
            return next(self._items)
        made, self._made = self._made, None
        return made.result()
