"""How often one caller may ask the API, counted in the memory of each process."""

import time
from math import ceil

from flask import Flask, current_app
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from . import security_log

_LIMITER = "jobauto_api_limiter"


def init_app(app: Flask) -> None:
    """Give the app a count of its own."""
    app.extensions[_LIMITER] = FixedWindowRateLimiter(MemoryStorage())


def count_request(caller: str) -> None:
    """Count a request of a token, or of a user with a cookie. Raises TooManyRequests, with the time."""
    limiter: FixedWindowRateLimiter = current_app.extensions[_LIMITER]
    allowed = RateLimitItemPerMinute(current_app.config["API_REQUESTS_PER_MINUTE"])
    if limiter.hit(allowed, caller):
        return
    seconds = max(1, ceil(limiter.get_window_stats(allowed, caller).reset_time - time.time()))
    security_log.warn("api-limited")
    raise TooManyRequests(
        f"More than {allowed.amount:,} requests in a minute. Try again in {seconds} seconds.",
        retry_after=seconds,
    )
