"""The ways out: a message by Apprise, a heartbeat by HTTP. Every call on the network has its time-out.

No error of theirs goes further than this file: it may hold the URL. What is told instead is a sentence.
"""

from urllib.parse import urlencode, urlsplit

import requests
from apprise import Apprise, AppriseAsset, NotifyBase
from apprise import plugins as apprise_plugins

CONNECT_SECONDS = 10
ANSWER_SECONDS = 20
LONGEST_HOST = 253
PATHS = {"start": "/start", "success": "", "test": "", "fail": "/fail"}
"""What Healthchecks appends to a heartbeat's URL for each signal; a test gives the signal of success."""

_ASSET = AppriseAsset(app_id="jobauto", app_desc="jobauto", app_url="", pgp_autogen=False)
_HOST_IS_A_HOST = {"form", "forms", "json", "jsons", "mailto", "mailtos", "xml", "xmls"}
"""Services in whose URLs the place of the host is not taken by a token."""
_FILES = {"keyfile", "pgp", "pgppub", "pgpprv", "subfile", "template", "wkd"}
"""Parameters that would make a service read a file of this machine and perhaps send it."""


class BadUrl(ValueError):
    """A URL that nothing can be sent to. Says why, without repeating it."""


class NotSent(Exception):
    """It was not accepted. Says why in words that hold no secret."""


def display_name(kind: str, url: str) -> str:
    """What may be shown of a URL: its scheme and host, or the service's name. Raises BadUrl."""
    if not url.isprintable() or any(character.isspace() for character in url):
        raise BadUrl("A URL is one line without spaces.")
    return _host(url) if kind == "heartbeat" else _service_name(url)


def send(url: str, title: str, body: str) -> None:
    """Send a message as plain text. Raises NotSent and BadUrl."""
    service = _service(url)
    # Whatever the URL says: it must not take longer than the lease of a message.
    service.socket_connect_timeout = CONNECT_SECONDS
    service.socket_read_timeout = ANSWER_SECONDS
    try:
        accepted = service.notify(body=body, title=title, body_format="text")
    except Exception as error:
        raise NotSent(f"The service failed unexpectedly ({type(error).__name__}).") from None
    if not accepted:
        raise NotSent("The service could not be reached, or did not accept the message.")


def ping(url: str, signal: str, body: str, rid: str | None) -> None:
    """Send a heartbeat: ``start``, ``success`` or ``fail``. Raises NotSent."""
    try:
        with requests.post(
            ping_url(url, signal, rid),
            data=body.encode(),
            timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
            allow_redirects=False,
            stream=True,  # what it answers is of no interest
            headers={"User-Agent": "jobauto", "Content-Type": "text/plain; charset=utf-8"},
        ) as answer:
            status = answer.status_code
    except Exception as error:
        raise NotSent(f"The channel could not be reached ({type(error).__name__}).") from None
    if not 200 <= status < 300:
        raise NotSent(f"The channel answered with status {status}.")


def ping_url(url: str, signal: str, rid: str | None) -> str:
    """Where a signal goes; what the URL asks for by itself (``?create=1``) is kept."""
    parts = urlsplit(url)
    asked = "&".join(part for part in (parts.query, urlencode({"rid": rid}) if rid else "") if part)
    return parts._replace(path=parts.path.rstrip("/") + PATHS[signal], query=asked, fragment="").geturl()


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or len(host) > LONGEST_HOST or parts.scheme not in ("http", "https"):
        raise BadUrl("A heartbeat's URL starts with https:// or http:// and a host.")
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def _service_name(url: str) -> str:
    service = _service(url)
    scheme = url.partition("://")[0].lower()
    at = f" at {service.host}" if scheme in _HOST_IS_A_HOST else ""
    return f"{service.service_name}{at}"


def _service(url: str) -> NotifyBase:
    try:
        parsed = apprise_plugins.url_to_dict(url)  # type: ignore[no-untyped-call]
        service = parsed and Apprise.instantiate(parsed, asset=_ASSET)
    except Exception:
        raise BadUrl("Apprise cannot read this URL.") from None
    if parsed is None:
        raise BadUrl("This is not a URL that Apprise knows, such as mailto://, slack:// or json://.")
    if files := _FILES & set(parsed.get("qsd") or ()):
        raise BadUrl(f"The parameter {min(files)} names a file of this machine, which is not read.")
    if service is None:
        raise BadUrl(f"Apprise knows {parsed['schema']}://, but something in this URL is missing or wrong.")
    return service
