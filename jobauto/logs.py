"""Logging: one line an event, to standard error, as ``key=value`` or as JSON.

The logger ``job_automation`` tells of runs, imports and messages, ``jobauto.security`` of logins and
accounts, ``jobauto.errors`` of faults, ``celery`` of the messages that a worker takes.
"""

import json
import logging
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from flask import Flask

from .config import ConfigError

OURS = ("job_automation", "jobauto", "celery")
QUIET = ("apprise", "urllib3")
"""Libraries whose lines may hold the addresses that messages go to, with their passwords and tokens."""
PLAIN = re.compile(r"[^\s\"=\\]+")

VALUES = re.compile(r"^DETAIL: .*\n?", re.MULTILINE)
"""What PostgreSQL tells of a row that it refused: all that stands in it, the hash of a password too."""


class LogEvent:
    """A thing that happened, and its facts: ``log.info(LogEvent("end", run=17, status="succeeded"))``.

    Facts that are None are left out. What people typed may be a fact: it is quoted, so that it cannot
    look like another fact or another line. A password or a token may not.
    """

    def __init__(self, name: str, **facts: Any) -> None:
        self.facts = {"event": name, **{key: value for key, value in facts.items() if value is not None}}

    def __str__(self) -> str:
        return _in_pairs(self.facts)


def _quoted(value: Any) -> str:
    text = str(value)
    return text if text.isprintable() and PLAIN.fullmatch(text) else json.dumps(text)


def _in_pairs(facts: dict[str, Any]) -> str:
    return " ".join(f"{key}={_quoted(value)}" for key, value in facts.items())


def _in_json(facts: dict[str, Any]) -> str:
    return json.dumps(facts, default=str)


FORMATS: dict[str, Callable[[dict[str, Any]], str]] = {"text": _in_pairs, "json": _in_json}


class OneLine(logging.Formatter):
    """A record as one line, its traceback included; times are in UTC."""

    def __init__(self, written: Callable[[dict[str, Any]], str]) -> None:
        super().__init__()
        self._written = written

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return self._written(dict(self._facts(record)))

    def _facts(self, record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
        yield "at", datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        yield "level", record.levelname.lower()
        yield "logger", record.name
        if isinstance(record.msg, LogEvent):
            yield from record.msg.facts.items()
        else:
            yield "message", record.getMessage()
        if record.exc_info:
            yield "traceback", VALUES.sub("", self.formatException(record.exc_info))


def init_app(app: Flask) -> None:
    """Show what our loggers tell, unless the host has set up logging itself. Raises ConfigError."""
    chosen = app.config["LOG_FORMAT"]
    if chosen not in FORMATS:
        raise ConfigError(f"JOBAUTO_LOG_FORMAT={chosen!r} is not one of {', '.join(FORMATS)}")
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for name in OURS:
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        if not (app.testing or _is_heard(logging.getLogger()) or _is_heard(logger)):
            handler = logging.StreamHandler(sys.stderr)
            handler.setFormatter(OneLine(FORMATS[chosen]))
            logger.addHandler(handler)


def _is_heard(logger: logging.Logger) -> bool:
    # Libraries give their loggers a handler that does nothing.
    return any(not isinstance(handler, logging.NullHandler) for handler in logger.handlers)
