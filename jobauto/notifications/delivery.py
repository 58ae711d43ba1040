"""Sends a message or a heartbeat, by a process of its own (:mod:`jobauto.notifications.courier`).

No error of a library goes further than that process: it may hold the URL. What is told instead is a sentence.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode, urlsplit

from ..config import MailServer
from . import courier
from .courier import Errand

SECONDS = 30.0
"""For a whole message: names, connections, every answer, however slowly they come."""
DAY_SECONDS = 86_400.0
"""Longer than that no message waits."""
NEEDED = re.compile(
    r"PATH|HOME|LD_LIBRARY_PATH|TMPDIR|TZ|LANG|LANGUAGE|LC_\w+|PYTHON\w+"
    r"|SSL_CERT_(FILE|DIR)|(REQUESTS|CURL)_CA_BUNDLE|(HTTP|HTTPS|ALL|NO)_PROXY"
    r"|(http|https|all|no)_proxy"
)
"""The variables that the process needs: to be started, to know whom to trust, and its way out."""
PATHS = {"start": "/start", "success": "", "test": "", "fail": "/fail"}
"""What Healthchecks appends to a heartbeat's URL for each signal; a test gives the signal of success."""


class NotSent(Exception):
    """It was not accepted. Says why in words that hold no secret, and what ``Retry-After`` was answered."""

    def __init__(self, why: str, retry_after: str | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after


def message(url: str, title: str, body: str, send_to: list[str] | None) -> Errand:
    """A message to an Apprise URL; ``send_to`` as in :class:`Errand`."""
    return Errand("message", url, title, body, send_to, SECONDS)


def heartbeat(url: str, signal: str, body: str, rid: str | None, send_to: list[str] | None) -> Errand:
    """A heartbeat: ``start``, ``success`` or ``fail``."""
    return Errand("heartbeat", ping_url(url, signal, rid), "", body, send_to, SECONDS)


def mail(server: MailServer, address: str, title: str, body: str) -> Errand:
    """A mail by the operator's server, which may be anywhere."""
    return Errand("mail", address, title, body, None, SECONDS, asdict(server))


def environment(of_program: Mapping[str, str]) -> dict[str, str]:
    """Those variables of the program that the process needs. A host may keep secrets in any other."""
    return {name: value for name, value in of_program.items() if NEEDED.fullmatch(name)}


def deliver(errand: Errand) -> None:
    """Do it, in at most ``SECONDS``. Needs no app context. Raises NotSent."""
    try:
        ended = subprocess.run(  # noqa: S603 (this program's own file)
            [sys.executable, "-P", courier.__file__],
            input=json.dumps(asdict(errand)),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a traceback may hold the URL
            env=environment(os.environ),
            text=True,
            timeout=errand.seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotSent(f"It was not done within {errand.seconds:g} seconds.") from None
    except OSError as error:
        raise NotSent(f"The process that sends could not be started ({type(error).__name__}).") from None
    try:
        outcome = json.loads(ended.stdout)
    except ValueError:
        raise NotSent(f"The process that sends ended unexpectedly ({ended.returncode}).") from None
    if not outcome["sent"]:
        raise NotSent(outcome["why"], outcome.get("retry_after"))


def ping_url(url: str, signal: str, rid: str | None) -> str:
    """Where a signal goes; what the URL asks for by itself (``?create=1``) is kept."""
    parts = urlsplit(url)
    asked = "&".join(part for part in (parts.query, urlencode({"rid": rid}) if rid else "") if part)
    return parts._replace(path=parts.path.rstrip("/") + PATHS[signal], query=asked, fragment="").geturl()


def not_before(retry_after: str | None, now: datetime) -> datetime | None:
    """When ``Retry-After`` allows the next try: seconds or a date of HTTP; None where it says neither."""
    if retry_after is None:
        return None
    try:
        if retry_after.strip().isdecimal():
            return now + timedelta(seconds=min(float(retry_after), DAY_SECONDS))
        asked = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    return asked if asked.tzinfo else asked.replace(tzinfo=UTC)
