"""How much one caller may ask for in a minute, counted in the memory of each process."""

import time
from math import ceil

from flask import Flask, current_app
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from . import security_log

PAGES = 3_000
"""Fifty a second, which nobody can press."""
EXPORTED = 500_000
"""Rows, of which 100,000 take five seconds. Whoever wants more at once has one export a minute."""

_LIMITER = "jobauto_limiter"


def init_app(app: Flask) -> None:
    """Give the app a count of its own."""
    app.extensions[_LIMITER] = FixedWindowRateLimiter(MemoryStorage())


def count_request(caller: str) -> None:
    """Count a request of a token, or of a user with a cookie. Raises TooManyRequests, with the time."""
    _count("api", caller, current_app.config["API_REQUESTS_PER_MINUTE"], "requests")


def count_page(caller: str) -> None:
    """Count a page of a user. Raises TooManyRequests, with the time."""
    _count("pages", caller, PAGES, "pages")


def count_exported(caller: str, rows: int) -> None:
    """Count what an export costs. Raises TooManyRequests, with the time."""
    _count("exports", caller, EXPORTED, "exported rows", cost=min(rows, EXPORTED))


def _count(what: str, caller: str, most: int, in_words: str, cost: int = 1) -> None:
    limiter: FixedWindowRateLimiter = current_app.extensions[_LIMITER]
    allowed = RateLimitItemPerMinute(most)
    if limiter.hit(allowed, what, caller, cost=cost):
        return
    seconds = max(1, ceil(limiter.get_window_stats(allowed, what, caller).reset_time - time.time()))
    security_log.warn(f"{what}-limited")
    raise TooManyRequests(
        f"More than {most:,} {in_words} in a minute. Try again in {seconds} seconds.",
        retry_after=seconds,
    )
