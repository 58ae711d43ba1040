"""The web application: pages, the API and the commands on top of the core."""

from typing import Any

from flask import Flask

from . import cli
from .core import create_core
from .web import (
    access,
    api,
    cookies,
    error_handlers,
    filters,
    form_parser,
    headers,
    health,
    proxies,
    rate_limit,
    static_files,
)
from .web.extensions import bootstrap, csrf, login_manager
from .web.pages import (
    account,
    audit,
    bulk_actions,
    dashboard,
    imports,
    jobs,
    lab,
    login,
    login_steps,
    notifications,
    policies,
    profiles,
    proposals,
    readings,
    report,
    reviews,
    runs,
    search,
    second_factor,
    settings,
    single_sign_on,
    sites,
    users,
)
from .web.routing import IdConverter, NameConverter, SiteIdConverter


def create_app(overrides: dict[str, Any] | None = None) -> Flask:
    """The application. ``overrides`` win over the environment. Raises ConfigError."""
    app = create_core(overrides)
    _extensions(app)
    _routes(app)
    error_handlers.init_app(app)
    headers.init_app(app)
    static_files.init_app(app)
    form_parser.init_app(app)
    access.init_app(app)
    rate_limit.init_app(app)
    filters.init_app(app)
    proxies.init_app(app)
    cli.init_app(app)
    return app


def _extensions(app: Flask) -> None:
    cookies.init_app(app)
    csrf.init_app(app)
    login_manager.init_app(app)
    bootstrap.init_app(app)


def _routes(app: Flask) -> None:
    app.url_map.converters |= {"default": NameConverter, "int": IdConverter, "site_id": SiteIdConverter}
    app.url_map.strict_slashes = False  # an API never redirects, with or without the last slash
    app.url_map.merge_slashes = False  # two slashes may be part of a site_id
    for part in (
        dashboard,
        jobs,
        bulk_actions,
        sites,
        readings,
        search,
        reviews,
        runs,
        lab,
        report,
        settings,
        notifications,
        policies,
        imports,
        profiles,
        proposals,
        users,
        account,
        audit,
        login,
        login_steps,
        single_sign_on,
        second_factor,
        health,
        *api.ENDPOINTS,
    ):
        app.register_blueprint(part.bp)
