"""Logging: one line an event, to standard error."""

import logging
import sys

from flask import Flask

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def init_app(app: Flask) -> None:
    """Show what the logger ``job_automation`` tells of runs, unless the host has set up logging itself."""
    runs = logging.getLogger("job_automation")
    runs.setLevel(logging.INFO)
    if not (app.testing or logging.getLogger().handlers or runs.handlers):
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter(FORMAT))
        runs.addHandler(handler)
