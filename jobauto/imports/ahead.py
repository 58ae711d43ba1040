"""Making the next thing while the last one is used."""

from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")

_Made = SimpleQueue[tuple[T | None, BaseException | None]]


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, none of them None; the next is made in a thread while the caller has the last.

    An error in making one is raised here. The thread has ended when this has.
    """
    wanted: SimpleQueue[bool] = SimpleQueue()
    made: _Made[T] = SimpleQueue()
    # Not one of a pool: a pool refuses work as soon as the interpreter begins to end, and an import that
    # could have been resumed would fail.
    thread = Thread(target=_make, args=(items, wanted, made), name="ahead", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # there can be no more threads, as in newer Pythons that are ending
        yield from items
        return
    try:
        wanted.put(True)
        while (item := _taken(made)) is not None:
            wanted.put(True)
            yield item
    finally:
        wanted.put(False)
        thread.join()


def _make(items: Iterator[T], wanted: SimpleQueue[bool], made: _Made[T]) -> None:
    while wanted.get():
        try:
            made.put((next(items, None), None))
        except BaseException as error:
            made.put((None, error))


def _taken(made: _Made[T]) -> T | None:
    item, error = made.get()
    if error is not None:
        raise error
    return item
