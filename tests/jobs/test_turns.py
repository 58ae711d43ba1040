"""Work that pages have begun, and that waits for its turn."""

import threading
from functools import partial

import pytest
from flask import Flask

from jobauto.work.threads import OneByOne
from tests.processes import PATIENCE

NAME = "a test's work"


def test_of_much_that_is_begun_one_thread_does_each_in_its_turn() -> None:
    may_go_on, turns = threading.Event(), OneByOne(NAME)
    done: list[int] = []

    with Flask(__name__).app_context():
        turns.add(lambda: may_go_on.wait(PATIENCE))
        for number in range(20):
            turns.add(partial(done.append, number))
        (thread,) = _threads()
    may_go_on.set()
    thread.join(PATIENCE)

    assert done == list(range(20))


def test_a_fault_holds_up_nothing_behind_it(caplog: pytest.LogCaptureFixture) -> None:
    done = threading.Event()
    turns = OneByOne(NAME)

    with Flask(__name__).app_context():
        turns.add(lambda: 1 // 0)
        turns.add(done.set)

    assert done.wait(PATIENCE)
    assert "ZeroDivisionError" in caplog.text


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == NAME]
