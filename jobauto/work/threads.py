"""Work in a thread of this process, where somebody waits for a page."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from functools import partial

from flask import Flask, current_app

from ..logs import LogEvent

log = logging.getLogger("job_automation")


def start(work: Callable[[], object], name: str) -> threading.Thread:
    """Do it in a thread of its own, which outlives the request. A fault is logged: nobody waits for it."""
    thread = threading.Thread(target=_in_context(work, name), name=name, daemon=True)
    thread.start()
    return thread


class OneByOne:
    """Work that is done one after the other, by a thread that is there while some is left.

    However much is begun, it takes one thread, and the connections of one, of the process.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._left: deque[Callable[[], None]] = deque()
        self._is_busy = False
        self._lock = threading.Lock()

    def add(self, work: Callable[[], object]) -> None:
        """Have it done after what was added before. A fault is logged, and holds up nothing behind it."""
        with self._lock:
            self._left.append(_in_context(work, self._name))
            if not self._is_busy:
                threading.Thread(target=self._do_all, name=self._name, daemon=True).start()
                self._is_busy = True

    def _do_all(self) -> None:
        while (work := self._next()) is not None:
            work()

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            self._is_busy = bool(self._left)
            return self._left.popleft() if self._left else None


def _in_context(work: Callable[[], object], name: str) -> Callable[[], None]:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined] # threads need the app itself
    return partial(_do, app, work, name)


def _do(app: Flask, work: Callable[[], object], name: str) -> None:
    with app.app_context():
        try:
            work()
        except Exception:
            log.exception(LogEvent(f"{name}-failed"))
