"""The web application: pages, the API and the commands on top of the core."""

from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from . import cli
from .core import create_core
from .web import access, api, error_handlers, filters, headers, health, rate_limit, static_files
from .web.extensions import bootstrap, csrf, login_manager
from .web.pages import (
    account,
    audit,
    dashboard,
    imports,
    jobs,
    login,
    notifications,
    policies,
    runs,
    settings,
    sites,
    users,
)
from .web.routing import IdConverter, SiteIdConverter


def create_app(overrides: dict[str, Any] | None = None) -> Flask:
    """The application. ``overrides`` win over the environment. Raises ConfigError."""
    app = create_core(overrides)
    _extensions(app)
    _routes(app)
    error_handlers.init_app(app)
    headers.init_app(app)
    static_files.init_app(app)
    access.init_app(app)
    rate_limit.init_app(app)
    filters.init_app(app)
    cli.init_app(app)
    return app


def _extensions(app: Flask) -> None:
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
        policies,
        imports,
        users,
        account,
        audit,
        login,
        health,
        *api.ENDPOINTS,
    ):
        app.register_blueprint(part.bp)
