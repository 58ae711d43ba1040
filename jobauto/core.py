"""What every process of the program has: configuration, log, database, and a broker where one is configured.

Commands and workers need no more; :mod:`jobauto.app` puts pages and the API on top of it.
"""

import logging
from pathlib import Path
from typing import Any

from flask import Flask

from . import config, logs
from .extensions import db
from .logs import LogEvent
from .storage import connections
from .work import broker

log = logging.getLogger("jobauto.configuration")
PACKAGE = Path(__file__).parent
BESIDE = PACKAGE if (PACKAGE / "templates").is_dir() else PACKAGE.parent
"""Where templates/ and static/ are: inside an installed package, beside it in a checkout."""

SHORT_KEY = (
    f"JOBAUTO_SECRET_KEY has fewer than {config.SHORTEST_KEY} characters. "
    "Set a longer one, and name this one in JOBAUTO_SECRET_KEY_FALLBACKS."
)


def create_core(overrides: dict[str, Any] | None = None) -> Flask:
    """The application without pages. ``overrides`` win over the environment. Raises ConfigError."""
    app = Flask(
        __package__ or __name__,
        instance_path=config.instance_path(),
        template_folder=BESIDE / "templates",
        static_folder=BESIDE / "static",
    )
    config.load(app, overrides)
    logs.init_app(app)
    if config.is_key_short(app):
        log.warning(LogEvent("secret-key-short", advice=SHORT_KEY))
    broker.init_app(app)
    db.init_app(app)
    connections.init_app(app)
    return app
