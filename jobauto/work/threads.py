"""Work in a thread of this process, where somebody waits for a page."""

import logging
import threading
from collections.abc import Callable

from flask import Flask, current_app

from ..logs import LogEvent

log = logging.getLogger("job_automation")


def start(work: Callable[[], object], name: str) -> threading.Thread:
    """Do it in a thread of its own, which outlives the request. A fault is logged: nobody waits for it."""
    app = current_app._get_current_object()  # type: ignore[attr-defined] # threads need the app itself
    thread = threading.Thread(target=_in_context, args=(app, work, name), name=name, daemon=True)
    thread.start()
    return thread


def _in_context(app: Flask, work: Callable[[], object], name: str) -> None:
    with app.app_context():
        try:
            work()
        except Exception:
            log.exception(LogEvent(f"{name}-failed"))
