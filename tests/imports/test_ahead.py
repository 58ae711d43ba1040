"""The next block is read while the last one is stored, in a thread that neither lingers nor loses errors."""

import sys
import threading
from collections.abc import Generator, Iterator
from itertools import count
from pathlib import Path
from typing import cast

import pytest

from jobauto.imports.ahead import ahead
from tests.processes import PATIENCE, environment, started

ENDING = """
import threading, time
from jobauto.imports.ahead import ahead

going, may_go_on, told = threading.Event(), threading.Event(), []

def use():
    try:
        for item in ahead(iter(range(1, 6))):
            going.set()
            may_go_on.wait(60)
            told.append(item)
        told.append(list(ahead(iter([6, 7]))))
    except BaseException as error:
        told.append(error)
    print("told", *told, flush=True)

def last():
    # As a tick's thread does: it keeps the process for a while after its main thread has come to its end.
    while threading.main_thread().is_alive():
        time.sleep(0.01)
    may_go_on.set()
    user.join(60)

user = threading.Thread(target=use, daemon=True)
user.start()
going.wait(60)
threading.Thread(target=last).start()
"""


def threads() -> list[str]:
    """The threads that read ahead."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("ahead")]


def test_items_come_in_order_and_no_thread_is_left() -> None:
    assert list(ahead(iter(range(1, 100)))) == list(range(1, 100))
    assert threads() == []


def test_one_item_is_made_while_the_last_is_used_and_no_more() -> None:
    begun = [threading.Event() for _ in range(4)]

    def items() -> Iterator[int]:
        for number, event in enumerate(begun, 1):
            event.set()
            yield number

    for number in ahead(items()):
        assert all(event.wait(PATIENCE) for event in begun[: number + 1])
        assert not any(event.is_set() for event in begun[number + 1 :])


def test_an_error_in_making_is_raised_where_the_items_are_used() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    coming = ahead(items())
    assert next(coming) == 1
    with pytest.raises(OSError, match="the disk is gone"):
        next(coming)
    assert threads() == []


@pytest.mark.parametrize("taken", [0, 1, 3])
def test_who_stops_early_leaves_no_thread(taken: int) -> None:
    items = cast("Generator[int]", ahead(count(1)))
    assert [next(items) for _ in range(taken)] == list(range(1, taken + 1))
    items.close()
    assert threads() == []


def test_where_no_thread_can_be_started_items_come_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert list(ahead(iter([1, 2]))) == [1, 2]


def test_items_go_on_while_the_interpreter_ends(tmp_path: Path) -> None:
    with started([sys.executable, "-c", ENDING], environment("sqlite://", tmp_path)) as process:
        assert process.await_line("told")[0]
        assert process.end() == 0
    assert process.output == "told 1 2 3 4 5 [6, 7]"
