"""Which services messages may go to, and which parameters their URLs may have.

Those that are named here speak HTTP or SMTP and read no file of this machine; of their parameters those are
left out that name a file or fetch something. Others may be added after a look at their source in Apprise.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from apprise import Apprise, NotifyBase
from apprise import plugins as apprise_plugins

from ..config import MAIL_ADDRESS
from .courier import ASSET

LONGEST_HOST = 253
MAIL = "mail:"
"""What the URL of a mail address begins with, which needs no service but the operator's mail server."""
COMMON = frozenset({"cto", "emojis", "format", "overflow", "pass", "password", "rto", "tz", "user", "verify"})
"""Parameters that every service has."""


class BadUrl(ValueError):
    """A URL that nothing can be sent to. Says why, without repeating it."""


class NotAllowed(BadUrl):
    """A URL that Apprise understands, of a service or with a parameter that is not allowed."""


@dataclass(frozen=True)
class Service:
    """What may stand behind the question mark: names, and any that begin with one of ``signs``.

    ``has_host``: its URL names a host, and does not have a token in that place.
    """

    parameters: frozenset[str]
    signs: str = ""
    has_host: bool = False


def _service(parameters: str, signs: str = "", *, has_host: bool = False) -> Service:
    return Service(frozenset(parameters.split()), signs, has_host)


_MAIL = "bcc cc from name reply to"
SERVICES = {
    ("apprise", "apprises"): _service("method tags to", "+", has_host=True),
    ("azure", "o365"): _service("bcc cc mode oauth_id oauth_secret reply_to savesent to"),
    ("brevo",): _service("bcc cc reply to"),
    ("discord",): _service("avatar avatar_url fields footer footer_logo href image ping thread tts url"),
    ("form", "forms"): _service("method", "+-:", has_host=True),
    ("gchat",): _service("key thread token workspace"),
    ("goalert", "goalerts"): _service("action dedup to token", "+", has_host=True),
    ("gotify", "gotifys"): _service("priority", has_host=True),
    ("hassio", "hassios"): _service("batch nid prefix to token", has_host=True),
    ("ifttt",): _service("to", "+-"),
    ("ilert",): _service("action click dedup image key priority route"),
    ("incidentio",): _service("action click dedup source token", "+"),
    ("json", "jsons"): _service("method", "+-:", has_host=True),
    ("mailersend",): _service("bcc cc reply to"),
    ("mailgun",): _service("batch bcc cc from name region to", "+"),
    ("mailto", "mailtos"): _service(f"{_MAIL} inline mode smtp", "+", has_host=True),
    ("matrix", "matrixs"): _service("mode msgtype to token version", has_host=True),
    ("mmost", "mmosts"): _service("botname channel channels icon_url image mode team to", has_host=True),
    ("nctalk", "nctalks"): _service("secret silent url_prefix", "+", has_host=True),
    ("ntfy", "ntfys"): _service("auth click delay email image mode priority to token xtags", has_host=True),
    ("opsgenie",): _service("action alias batch entity priority region tags to", "+"),
    ("pagerduty",): _service("action class click dedup group region severity", "+"),
    ("pagertree",): _service("action dedup tags thirdparty tid urgency", "+-:"),
    ("pbul",): _service("to"),
    ("postmark",): _service("bcc cc name reply to"),
    ("pover",): _service("expire interval priority sound to url url_title"),
    ("resend",): _service(f"{_MAIL} apikey"),
    ("rocket", "rockets"): _service("avatar mode to webhook", has_host=True),
    ("sendgrid",): _service("bcc cc to"),
    ("ses",): _service(f"{_MAIL} access key region secret token"),
    ("signal", "signals"): _service("batch from status to", has_host=True),
    ("signl4",): _service("action alerting_scenario dedup external_id filtering location service status"),
    ("slack",): _service("footer image mode timestamp to token"),
    ("smtp2go",): _service("batch bcc cc name to", "+"),
    ("sns",): _service("access key mode region secret to token"),
    ("sparkpost",): _service("batch bcc cc name region to", "+"),
    ("splunk", "victorops"): _service("action apikey entity_id route routing_key"),
    ("squadcast",): _service("action dedup key priority region", "+"),
    ("synology", "synologys"): _service("token", "+", has_host=True),
    ("tgram",): _service("content detect image mdv preview silent thread to topic"),
    ("threema",): _service("from gwid secret to"),
    ("twilio",): _service("apikey from method sid to token"),
    ("twist",): _service("to"),
    ("vonage", "nexmo"): _service("from key secret to ttl"),
    ("webex", "wxteams"): _service("mode to token"),
    ("whatsapp",): _service("from lang to token"),
    ("workflow", "workflows"): _service(
        "api-version id image pa powerautomate route routeid sig ver wrap", has_host=True
    ),
    ("zulip",): _service("to token"),
}
_BY_SCHEME = {scheme: service for schemes, service in SERVICES.items() for scheme in schemes}


@dataclass(frozen=True)
class Target:
    """What a URL leads to: what may be shown of it, and the host that is connected to, if it names one."""

    display_name: str
    host: str | None


def target_of(kind: str, url: str, *, only_allowed: bool = True) -> Target:
    """Where a channel's URL leads. Raises BadUrl, and NotAllowed where ``only_allowed``."""
    if not url.isprintable() or any(character.isspace() for character in url):
        raise BadUrl("A URL is one line without spaces.")
    if kind == "heartbeat":
        return _heartbeat(url)
    return _mail(url.removeprefix(MAIL)) if url.startswith(MAIL) else _message(url, only_allowed)


def _mail(address: str) -> Target:
    if not MAIL_ADDRESS.fullmatch(address):
        raise BadUrl(f"Behind {MAIL} stands one mail address, such as {MAIL}operations@example.org.")
    return Target(f"Mail to {address.rpartition('@')[2]}", None)


def _heartbeat(url: str) -> Target:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    is_ambiguous = "\\" in url  # the process that sends would end the host there, and what is shown would not
    if not host or len(host) > LONGEST_HOST or parts.scheme not in ("http", "https") or is_ambiguous:
        raise BadUrl("A heartbeat's URL starts with https:// or http:// and a host.")
    return Target(f"{parts.scheme}://{host}" + (f":{port}" if port else ""), host)


def _message(url: str, only_allowed: bool) -> Target:
    try:
        parsed = apprise_plugins.url_to_dict(url)  # type: ignore[no-untyped-call]
        service = parsed and Apprise.instantiate(parsed, asset=ASSET)
    except Exception:
        raise BadUrl("Apprise cannot read this URL.") from None
    if parsed is None:
        raise BadUrl("This is not a URL that Apprise knows, such as mailto://, slack:// or json://.")
    scheme = parsed["schema"]
    if only_allowed:
        _check(scheme, set(parsed.get("qsd") or ()))
    if service is None:
        raise BadUrl(f"Apprise knows {scheme}://, but something in this URL is missing or wrong.")
    if scheme not in _BY_SCHEME or not _BY_SCHEME[scheme].has_host:
        return Target(str(service.service_name), None)  # a token may stand in the place of the host
    return Target(f"{service.service_name} at {service.host}", _host(service))


def _check(scheme: str, given: set[str]) -> None:
    service = _BY_SCHEME.get(scheme)
    if service is None:
        raise NotAllowed(f"{scheme}:// is not among the services that messages may go to.")
    allowed = COMMON | service.parameters
    others = sorted(name for name in given if name not in allowed and name[:1] not in service.signs)
    if others:
        raise NotAllowed(f"The parameter {others[0]} of {scheme}:// is not among those that are allowed.")


def _host(service: NotifyBase) -> str | None:
    # Mail goes to a server that may have another name than the one in the URL's place for a host.
    host: str | None = getattr(service, "smtp_host", None) or getattr(service, "host", None)
    return host and host.strip("[]")  # as an IPv6 address stands in a URL
