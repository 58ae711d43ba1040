"""A process of its own that sends one message, and then ends.

    python -P courier.py < errand.json

It reads an :class:`Errand` as JSON and prints ``{"sent": ..., "why": ..., "retry_after": ...}``. It imports
nothing of the program, so that it starts in half a second and knows none of its secrets.

Why a process: what Apprise's hundred services do on the network has no limit that all of them share. Here one
deadline holds for everything, name servers and mail included, because the process is killed; memory is
limited; and what is changed in ``requests`` and ``smtplib`` is changed in this process alone. Where it may
connect to is asked of :class:`Reach` by an audit hook (:func:`sys.addaudithook`) just before each connection,
when the IP address is known; so a name that is answered differently the second time gains nothing.
"""

import contextlib
import http.client
import io
import json
import resource
import signal
import smtplib
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from functools import partial, wraps
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import requests
import urllib3
from apprise import Apprise, AppriseAsset
from apprise import plugins as apprise_plugins

CONNECT_SECONDS = 10
ANSWER_SECONDS = 20
LONGEST_REPLY = 256 * 1024
"""Bytes of a reply that are read; what stands behind them is of no interest."""
MEMORY = 256 * 1024 * 1024
ORPHAN_SECONDS = 5
"""Its parent kills this process at the deadline; if the parent is gone, it ends itself so much later."""

ASSET = AppriseAsset(app_id="jobauto", app_desc="jobauto", app_url="", pgp_autogen=False)

Ip = IPv4Address | IPv6Address
_NAT64 = ip_network("64:ff9b::/96")
_GIVEN_OUT = ip_network("2000::/3")
"""All that there is of the internet by IPv6. The rest is one's own, or holds an IPv4 address."""
_NOT_PUBLIC = [
    ip_network(network)
    for network in (
        "168.63.129.16/32",  # Azure's host, which each machine there sees
        "192.0.0.0/24",  # of protocols; a cloud has the keys of its machines there
        "3fff::/20",  # of documents
        "192.88.99.0/24",  # of relays that are no more
    )
]
"""What not every version of :mod:`ipaddress` knows to be none of the internet's."""
_OTHER_PROGRAMS = ("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen")


@dataclass(frozen=True)
class Errand:
    """What is to be sent: a message to an Apprise URL, a heartbeat to an http or https one, or a mail.

    ``send_to`` names the private hosts and networks that may be reached besides public ones; None: all may.
    Of a mail, ``url`` is the address of its recipient, and ``server`` the fields of
    :class:`jobauto.config.MailServer`.
    """

    kind: str
    url: str
    title: str
    body: str
    send_to: list[str] | None
    seconds: float
    server: dict[str, Any] | None = None


class Reach:
    """Which IP addresses may be connected to: all public ones, and the hosts and networks that are named."""

    def __init__(self, send_to: list[str]) -> None:
        self._networks = []
        self._hosts = []
        for entry in send_to:
            try:
                self._networks.append(ip_network(entry))
            except ValueError:
                self._hosts.append(entry)

    def includes(self, ip: Ip) -> bool:
        """Whether it may be reached. A host that is named is looked up for it."""
        reached = embedded(ip)
        if is_public(reached) or any(reached in network for network in self._networks):
            return True
        return any(reached in addresses_of(host) for host in self._hosts)


def is_public(ip: Ip) -> bool:
    """Whether it belongs to the internet, and to none of the ranges of one's own network or machine."""
    if isinstance(ip, IPv6Address) and ip not in _GIVEN_OUT:
        return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _NOT_PUBLIC)


def embedded(ip: Ip) -> Ip:
    """The IPv4 address that an IPv6 address leads to, where it is of such a kind."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(ip.packed[-4:])
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)


def addresses_of(host: str) -> set[Ip]:
    """The IP addresses of a host; none if it is not known."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return set()
    return {embedded(ip_address(str(entry[4][0]).partition("%")[0])) for entry in found}


class OutOfReach(OSError):
    """A connection that is not allowed."""


class Redirected(requests.RequestException):
    """An answer that leads elsewhere. The message was not taken where it was sent."""


class Report:
    """What was seen on the way, for the sentence that says why a message was not sent. It holds no secret."""

    def __init__(self) -> None:
        self.redirected = False
        self.retry_after: str | None = None
        self._refusal: str | None = None
        self._seen: str | None = None

    @property
    def why(self) -> str:
        """The sentence."""
        return self._refusal or self._seen or "The service did not accept the message."

    def refused(self, sentence: str) -> OutOfReach:
        """Something was tried that is not allowed."""
        self._refusal = sentence
        return OutOfReach(sentence)

    def answered(self, response: requests.Response) -> None:
        """An answer by HTTP."""
        status = response.status_code
        self.retry_after = response.headers.get("Retry-After")
        phrase = f" ({HTTPStatus(status).phrase})" if status in set(HTTPStatus) else ""
        self._seen = f"The service answered {status}{phrase}."
        if 300 <= status < 400:
            self.redirected = True
            self._refusal = f"The service answered {status}{phrase}: it leads elsewhere, as to a login page."

    def mail_answered(self, code: int) -> None:
        """An answer of a mail server."""
        if code >= 400:
            self._seen = f"The mail server answered {code}."

    def failed(self, who: str, error: BaseException) -> None:
        """A connection or an answer that did not come about."""
        self._seen = describe_failure(who, error)


def describe_failure(who: str, error: BaseException) -> str:
    """In a sentence that holds nothing of the error's own text, which may hold a URL."""
    causes = list(_causes(error))

    def is_any(*types: type[BaseException]) -> bool:
        return any(isinstance(cause, types) for cause in causes)

    if is_any(socket.gaierror, urllib3.exceptions.NameResolutionError):
        return f"{who} was not found: its host name is not known."
    if is_any(ConnectionRefusedError):
        return f"{who} refused the connection."
    if is_any(ssl.SSLError, requests.exceptions.SSLError):
        return f"{who} could not be reached safely: its certificate or its TLS was not accepted."
    if is_any(TimeoutError, requests.Timeout):
        return f"{who} did not answer in time."
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"{who} refused the login ({error.smtp_code})."
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"{who} offers no {'TLS' if 'STARTTLS' in str(error) else 'login'}."
    if is_any(ConnectionResetError, http.client.RemoteDisconnected, smtplib.SMTPServerDisconnected):
        return f"{who} closed the connection."
    return f"{who} could not be reached ({type(error).__name__})."


def _causes(error: BaseException) -> Iterator[BaseException]:
    # urllib3 and requests hand errors on as arguments and reasons, as well as by chaining.
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        cause = waiting.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]


def watch_connections(reach: Reach | None, report: Report) -> None:
    """Let this process connect to what is in reach only, and start no other. For good: hooks stay."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _OTHER_PROGRAMS:
            raise report.refused("The service wanted to start a program on this machine.")
        if reach is None or event not in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            return
        connecting, address = arguments
        if event == "socket.sendmsg" and address is None:
            return  # it is connected
        if connecting.family not in (socket.AF_INET, socket.AF_INET6):
            raise report.refused("The service wanted to talk to a program on this machine.")
        try:
            ip = ip_address(address[0].partition("%")[0])
        except ValueError:
            raise report.refused("The service wanted to connect to a name that was not looked up.") from None
        if not reach.includes(ip):
            raise report.refused("Its host is in a private range, and JOBAUTO_SEND_TO does not name it.")

    sys.addaudithook(hook)


def bound_http(report: Report) -> None:
    """Let ``requests`` follow no redirect and read the beginning of a reply only, in this whole process."""
    send = requests.Session.send

    @wraps(send)
    def bounded(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> Any:
        options |= {"allow_redirects": False, "stream": True}
        try:
            with contextlib.closing(send(session, request, **options)) as response:
                body = response.raw.read(LONGEST_REPLY, decode_content=True)
        except requests.RequestException as error:
            report.failed("The service", error)
            raise
        except (urllib3.exceptions.HTTPError, OSError) as error:
            report.failed("The service", error)
            raise requests.ConnectionError from error
        response.raw = io.BytesIO(body)
        report.answered(response)
        if report.redirected:
            raise Redirected
        return response

    requests.Session.send = bounded  # type: ignore[method-assign, assignment]


def watch_mail(report: Report) -> None:
    """See what mail servers answer, in this whole process: Apprise keeps it to itself."""

    def watched(name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(smtplib.SMTP, name)

        @wraps(method)
        def call(*arguments: Any, **named: Any) -> Any:
            try:
                result = method(*arguments, **named)
            except (OSError, smtplib.SMTPException) as error:
                report.failed("The mail server", error)
                raise
            if name == "getreply":
                report.mail_answered(result[0])
            return result

        return call

    for name in ("connect", "getreply", "login", "starttls"):
        setattr(smtplib.SMTP, name, watched(name))


def message(errand: Errand) -> Callable[[], bool]:
    """How to send a message as plain text: returns whether the service says that it has it."""
    parsed = apprise_plugins.url_to_dict(errand.url)  # type: ignore[no-untyped-call]
    service: Any = Apprise.instantiate(parsed, asset=ASSET)
    service.socket_connect_timeout = CONNECT_SECONDS
    service.socket_read_timeout = ANSWER_SECONDS
    service.retry = 0  # the outbox tries again
    return lambda: bool(service.notify(body=errand.body, title=errand.title, body_format="text"))


def mail(errand: Errand) -> bool:
    """Send a mail by the operator's server; returns whether that has taken it."""
    server = errand.server or {}
    letter = EmailMessage(policy=SMTP)
    letter["From"] = Address("jobauto", addr_spec=server["sender"])
    letter["To"] = Address(addr_spec=errand.url)
    letter["Subject"] = errand.title
    letter["Date"] = formatdate(localtime=False)
    letter["Message-ID"] = make_msgid(domain=server["sender"].rpartition("@")[2])
    letter["Auto-Submitted"] = "auto-generated"  # so that nobody's absence answers
    letter.set_content(errand.body)
    try:
        with contextlib.closing(_mail_server(server)) as connection:
            if server["user"]:
                connection.login(server["user"], server["password"])
            connection.send_message(letter)
            with contextlib.suppress(OSError):  # it is taken, however the server parts
                connection.quit()
    except OSError:
        return False  # the report has seen why
    return True


def _mail_server(server: dict[str, Any]) -> smtplib.SMTP:
    host, port, verified = server["host"], server["port"], ssl.create_default_context()
    if server["security"] == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=ANSWER_SECONDS, context=verified)
    connection = smtplib.SMTP(host, port, timeout=ANSWER_SECONDS)
    if server["security"] == "starttls":
        connection.starttls(context=verified)
    return connection


def heartbeat(errand: Errand) -> bool:
    """Send a heartbeat; returns whether it was accepted."""
    answer = requests.post(
        errand.url,
        data=errand.body.encode(),
        timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
        headers={"User-Agent": "jobauto", "Content-Type": "text/plain; charset=utf-8"},
    )
    return answer.ok


def run(errand: Errand) -> dict[str, Any]:
    """Do the errand within its limits, which stay with this process."""
    report = Report()
    signal.setitimer(signal.ITIMER_REAL, errand.seconds + ORPHAN_SECONDS)
    do: Callable[[], bool]
    match errand.kind:
        case "heartbeat":
            do = partial(heartbeat, errand)
        case "mail":
            do = partial(mail, errand)
        case _:
            do = message(errand)  # before the limits: Apprise loads all its services now
    with contextlib.suppress(OSError, ValueError):  # systemd's filter may forbid it, and limits memory itself
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    watch_connections(None if errand.send_to is None else Reach(errand.send_to), report)
    bound_http(report)
    watch_mail(report)
    try:
        accepted = do()
    except requests.RequestException:
        accepted = False
    except Exception as error:
        return {"sent": False, "why": f"The service failed unexpectedly ({type(error).__name__})."}
    if accepted and not report.redirected:
        return {"sent": True}
    return {"sent": False, "why": report.why, "retry_after": report.retry_after}


def main() -> None:
    """Read the errand, do it, and tell what became of it on standard output, where nobody else writes."""
    errand = Errand(**json.load(sys.stdin))
    with contextlib.redirect_stdout(io.StringIO()):
        outcome = run(errand)
    sys.stdout.write(json.dumps(outcome))


if __name__ == "__main__":
    main()
