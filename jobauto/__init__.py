"""jobauto: finds metered sites that went silent or stand still, and opens one job for each fault."""

from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from . import cli, config, logs
from .extensions import bootstrap, csrf, db, login_manager, migrate
from .storage import connections
from .web import access, api, error_handlers, filters, headers, health, rate_limit
from .web.pages import (
    account,
    audit,
    dashboard,
    imports,
    jobs,
    login,
    notifications,
    runs,
    settings,
    sites,
    users,
)
from .web.routing import IdConverter, SiteIdConverter
from .work import broker, tasks

PACKAGE = Path(__file__).parent
BESIDE = PACKAGE if (PACKAGE / "templates").is_dir() else PACKAGE.parent
"""Where templates/ and static/ are: inside an installed package, beside it in a checkout."""


def create_app(overrides: dict[str, Any] | None = None) -> Flask:
    """The application. ``overrides`` win over the environment. Raises ConfigError."""
    app = Flask(
        __name__,
        instance_path=config.instance_path(),
        template_folder=BESIDE / "templates",
        static_folder=BESIDE / "static",
    )
    config.load(app, overrides)
    logs.init_app(app)
    broker.init_app(app, tasks.TASKS)
    _extensions(app)
    _routes(app)
    error_handlers.init_app(app)
    headers.init_app(app)
    access.init_app(app)
    rate_limit.init_app(app)
    filters.init_app(app)
    cli.init_app(app)
    return app


def _extensions(app: Flask) -> None:
    db.init_app(app)
    connections.init_app(app)
    migrate.init_app(app, db, directory=str(connections.MIGRATIONS), compare_type=True, render_as_batch=True)
    csrf.init_app(app)
    login_manager.init_app(app)
    bootstrap.init_app(app)
    if hops := app.config["PROXY_HOPS"]:
        # Not X-Forwarded-Port: the host has its port, and what no proxy sets anybody may forge.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_port=0, x_prefix=hops
        )


def _routes(app: Flask) -> None:
    app.url_map.converters |= {"int": IdConverter, "site_id": SiteIdConverter}
    app.url_map.strict_slashes = False  # an API never redirects, with or without the last slash
    app.url_map.merge_slashes = False  # two slashes may be part of a site_id
    for part in (
        dashboard,
        jobs,
        sites,
        runs,
        settings,
        notifications,
        imports,
        users,
        account,
        audit,
        login,
        health,
        *api.ENDPOINTS,
    ):
        app.register_blueprint(part.bp)
