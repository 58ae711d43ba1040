"""Who asks and for which host, as far as proxies and the request itself can be believed."""

from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, current_app, request
from werkzeug.exceptions import SecurityError
from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def init_app(app: Flask) -> None:
    """Believe the configured proxies, and serve the configured hosts only."""
    if app.config["TRUSTED_HOSTS"]:
        app.wsgi_app = HostInSmallLetters(app.wsgi_app)  # type: ignore[method-assign]
    if hops := app.config["PROXY_HOPS"]:
        # Not X-Forwarded-Port: the host has its port, and what no proxy sets anybody may forge.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            PlainAddress(app.wsgi_app), x_for=hops, x_proto=hops, x_host=hops, x_port=0, x_prefix=hops
        )
    # Before anything else: for a host that is not ours there is not even a page that says what is wrong.
    app.before_request_funcs.setdefault(None, []).insert(0, _require_one_host)


class PlainAddress:
    """Inside of ProxyFix: takes the port from an address, which some proxies add.

    What is no address at all is nobody's: the proxy's own counts then, so that logins are counted still.
    """

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass the request on."""
        said = environ.get("REMOTE_ADDR", "")
        proxy = environ["werkzeug.proxy_fix.orig"]["REMOTE_ADDR"] or ""
        environ["REMOTE_ADDR"] = proxy if said == proxy else plain_address(said) or proxy
        return self._app(environ, start_response)


class HostInSmallLetters:
    """Inside of ProxyFix: host names are the same in capitals, and Werkzeug compares them as they come."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass the request on."""
        if host := environ.get("HTTP_HOST"):
            environ["HTTP_HOST"] = host.lower()
        return self._app(environ, start_response)


def plain_address(said: str) -> str | None:
    """``192.0.2.1:1234`` and ``[2001:db8::1]:1234`` without brackets and port; None of what is none."""
    host = said.removeprefix("[").partition("]")[0] if said.startswith("[") else said
    for candidate in (host, host.rpartition(":")[0]):
        with suppress(ValueError):
            found = ip_address(candidate.partition("%")[0])
            return str(getattr(found, "ipv4_mapped", None) or found)
    return None


def _require_one_host() -> None:
    """Where hosts are configured, a request names one, in its header Host, and no other in its first line."""
    if not current_app.config["TRUSTED_HOSTS"]:
        return
    line = request.environ.get("RAW_URI", "/")  # as gunicorn has it: a whole address names a host, too
    named = None if line.startswith("/") else _host_of(line)
    if "Host" not in request.headers or named not in (None, _host_of(f"//{request.host}")):
        raise SecurityError("The request names no host, or two.")


def _host_of(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return ""
