"""The logger ``jobauto.security``: who logged in, who failed to, what was refused. Never a password or token.

A name that somebody typed is told only if there is such a user: it may be a password in the wrong field.
"""

import logging
from typing import Any

from flask import has_request_context, request

from ..logs import LogEvent

log = logging.getLogger("jobauto.security")


def tell(name: str, **facts: Any) -> None:
    """Something that is meant to happen."""
    log.info(LogEvent(name, **facts, **_where()))


def warn(name: str, **facts: Any) -> None:
    """Something that was refused."""
    log.warning(LogEvent(name, **facts, **_where()))


def _where() -> dict[str, Any]:
    if not has_request_context():
        return {}
    return {"address": request.remote_addr, "method": request.method, "path": request.path}
