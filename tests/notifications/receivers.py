"""Receivers: real servers on the loopback, which keep what they are sent, or answer as nobody should."""

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.processes import PATIENCE


@dataclass
class Web:
    """An HTTP server: the paths and bodies of what is posted, and the status that it answers with."""

    address: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    """What it answers besides. A ``Location`` is answered to whatever else is asked of it."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)
    """The paths of GET requests; a page that is there answers 200."""
    holds: Event = field(default_factory=Event)
    """Set, a request is kept waiting once it has arrived, until ``released``."""
    released: Event = field(default_factory=Event)

    @property
    def paths(self) -> list[str]:
        """Where requests went, without what stands behind a question mark."""
        return [path.partition("?")[0] for path, _ in self.requests]

    @property
    def titles(self) -> list[str]:
        """The titles of Apprise's JSON messages."""
        return [json.loads(body)["title"] for _, body in self.requests]

    @property
    def messages(self) -> list[str]:
        """Their texts."""
        return [json.loads(body)["message"] for _, body in self.requests]

    def json_url(self, path: str = "token") -> str:
        """Its address for Apprise."""
        return self.address.replace("http://", "json://") + f"/{path}"


@contextmanager
def web() -> Iterator[Web]:
    """A web server on a free port."""
    kept = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
            kept.requests.append((self.path, body))
            if kept.holds.is_set():
                kept.released.wait(PATIENCE)
            self.answer(kept.status)

        def do_GET(self) -> None:
            kept.looked_at.append(self.path)
            self.answer(kept.status if self.path == kept.headers.get("Location") == "/loop" else 200)

        def answer(self, status: int) -> None:
            self.send_response(status)
            for name, value in ({"Content-Length": "0"} | kept.headers).items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield kept
    finally:
        kept.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Mail:
    """A mail server: the mails that it has taken, as they came."""

    port: int = 0
    refuses: bool = False
    """Set, it takes no recipient."""
    logins: list[tuple[str, str]] = field(default_factory=list)
    """What was given where it asks for a login."""
    raw: list[bytes] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)

    @property
    def mails(self) -> list[Message]:
        """The mails, read."""
        return [message_from_bytes(content) for content in self.raw]

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """For aiosmtpd."""
        if self.refuses:
            return "550 No such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """For aiosmtpd."""
        assert isinstance(envelope.content, bytes)
        self.raw.append(envelope.content)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"


class _OnFreePort(Controller):
    """Listens on a port that the system chooses."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr] # it is asyncio's own
        super()._trigger_server()  # type: ignore[no-untyped-call]


LOGIN = ("jobauto@example.org", "pass:w/rd")
"""The user and the password that a mail server takes which asks for them."""


@contextmanager
def mail(
    security: str = "none", certificate: ssl.SSLContext | None = None, *, asks: bool = False
) -> Iterator[Mail]:
    """A mail server on a free port, with TLS from the beginning (``tls``) or by ``starttls``.

    It ``asks`` for :data:`LOGIN`.
    """
    kept = Mail()

    def look(
        _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: LoginPassword
    ) -> AuthResult:
        kept.logins.append((given.login.decode(), given.password.decode()))
        return AuthResult(success=kept.logins[-1] == LOGIN, handled=False)

    controller = _OnFreePort(
        kept,
        hostname="127.0.0.1",
        port=0,
        ssl_context=certificate if security == "tls" else None,
        tls_context=certificate if security == "starttls" else None,
        require_starttls=security == "starttls",
        authenticator=look if asks else None,
        auth_require_tls=security == "starttls",
    )
    controller.start()
    kept.port = controller.port
    try:
        yield kept
    finally:
        controller.stop()


PACE = 0.05
"""Seconds between two bytes of a receiver that drips."""


@dataclass
class Rude:
    """A server that is not one: it talks without end, until it is stopped or hung up on."""

    port: int = 0
    connections: int = 0
    sent: int = 0
    """Bytes that were taken from it, or wait on the way."""
    stopped: Event = field(default_factory=Event)


@contextmanager
def rude(beginning: bytes, endless: bytes, *, drips: bool, most: int = 400_000_000) -> Iterator[Rude]:
    """A server on a free port that says ``beginning``, then ``endless`` again and again.

    It drips: a byte at a time. Else as fast as it is read, up to ``most`` bytes.
    """
    kept = Rude()

    def talk(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.sendall(beginning)
            while not kept.stopped.is_set() and kept.sent < most:
                piece = endless[kept.sent % len(endless) :][:1] if drips else endless
                connection.sendall(piece)
                kept.sent += len(piece)
                if drips:
                    kept.stopped.wait(PACE)

    def listen() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                connection.settimeout(PATIENCE)
                kept.connections += 1
                Thread(target=talk, args=[connection], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        kept.port = server.getsockname()[1]
        listener = Thread(target=listen)
        listener.start()
        try:
            yield kept
        finally:
            kept.stopped.set()
            server.shutdown(socket.SHUT_RDWR)
            listener.join()
