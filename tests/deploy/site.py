"""The program as a server runs it: nginx and gunicorn, started from the very files in deploy/.

Only what a test must have of its own is replaced: ports, paths and the certificate.
"""

import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.databases import lacking
from tests.people import PASSWORD
from tests.processes import BIN, PATIENCE, ROOT, Process, await_until, environment, started

DEPLOY = ROOT / "deploy"
NAME = "jobauto.example.com"
ADDRESS = "127.0.0.9"
"""Where the tests' browsers come from, so that it can be told from everything else on the loopback."""

MAIN = """
worker_processes 2;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 256; }}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {content}
}}
"""
WITH_A_SUBPATH = """
include /etc/nginx/jobauto/http.conf;
server {{
    listen 443 ssl;
    server_name {name};
    ssl_certificate CERTIFICATE;
    ssl_certificate_key KEY;
    location / {{ return 200 "another program"; }}
    include /etc/nginx/jobauto/subpath.conf;
}}
"""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        """As text."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """As JSON."""
        return json.loads(self.body)


@dataclass
class Site:
    """A running site, reached by its name, over TLS that is checked."""

    folder: Path
    port: int
    plain_port: int
    backend_port: int
    prefix: str
    nginx: Process
    gunicorn: Process

    def ask(
        self,
        address: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        trusted: ssl.SSLContext | None = None,
    ) -> Answer:
        """One request by HTTPS on a connection of its own."""
        connection = http.client.HTTPConnection(NAME, timeout=PATIENCE)
        connection.sock = self.connect(trusted=trusted)
        sent = {"Host": f"{NAME}:{self.port}", **(headers or {})}
        return _answer(connection, method, self.prefix + address, body, sent)

    def connect(self, address: str = ADDRESS, trusted: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        """A connection from an address of the loopback."""
        trusted = trusted or ssl.create_default_context(cafile=str(self.folder / "certificate.pem"))
        raw = socket.create_connection(("127.0.0.1", self.port), PATIENCE, source_address=(address, 0))
        return trusted.wrap_socket(raw, server_hostname=NAME)

    def ask_plainly(self, address: str, host: str = NAME) -> Answer:
        """One request by HTTP."""
        connection = http.client.HTTPConnection("127.0.0.1", self.plain_port, timeout=PATIENCE)
        return _answer(connection, "GET", address, None, {"Host": host})

    def ask_backend(self, address: str, headers: Mapping[str, str] | None = None) -> Answer:
        """One request past nginx, as only this machine can."""
        connection = http.client.HTTPConnection("127.0.0.1", self.backend_port, timeout=PATIENCE)
        return _answer(connection, "GET", address, None, dict(headers or {}))

    def send_raw(self, request: bytes, *, past_nginx: bool) -> bytes:
        """Bytes on a connection of their own, and all that comes back until it is closed."""
        backend = ("127.0.0.1", self.backend_port)
        raw = socket.create_connection(backend, PATIENCE) if past_nginx else self.connect()
        with raw:
            raw.sendall(request)
            return b"".join(iter(lambda: raw.recv(65536), b""))

    def log_in(self, name: str) -> "Session":
        """A browser of somebody of the cast."""
        session = Session(self)
        assert session.post("/login", username=name, password=PASSWORD).status == 302
        return session


class Session:
    """A browser that keeps the session's cookie."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.cookie = ""
        self.set_cookie = ""

    def get(self, address: str) -> Answer:
        """Open a page."""
        return self._keep(self.site.ask(address, headers={"Cookie": self.cookie}))

    def post(self, address: str, **fields: str) -> Answer:
        """Send the form of a page, as a browser does over HTTPS: with its CSRF token and a Referer."""
        return self.send(address, urlencode({"csrf_token": self.token(address), **fields}).encode())

    def send(
        self, address: str, body: Any, kind: str = "application/x-www-form-urlencoded", **headers: str
    ) -> Answer:
        """Send a body to a page."""
        sent = {
            "Cookie": self.cookie,
            "Content-Type": kind,
            "Referer": f"https://{NAME}:{self.site.port}{self.site.prefix}{address}",
            **headers,
        }
        return self._keep(self.site.ask(address, "POST", body, sent))

    def token(self, address: str) -> str:
        """The CSRF token on a page."""
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.get(address).text)
        assert found, f"{address} has no form"
        return found[1]

    def _keep(self, answer: Answer) -> Answer:
        if given := answer.headers["Set-Cookie"]:
            self.set_cookie = given
            self.cookie = given.split(";")[0]
        return answer


def _answer(
    connection: http.client.HTTPConnection, method: str, address: str, body: Any, headers: dict[str, str]
) -> Answer:
    try:
        connection.request(method, address, body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.msg, answer.read())
    finally:
        connection.close()


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


def make_certificate(folder: Path) -> None:
    """A certificate that stands for itself."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")),
        ],
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )


def configure_nginx(folder: Path, content: str, ports: tuple[int, int, int]) -> Path:
    """The files of deploy/nginx in a folder of the test's own."""
    https, plain, backend = ports
    shutil.copytree(DEPLOY / "nginx" / "jobauto", folder / "jobauto", dirs_exist_ok=True)
    replaced = (
        (r"/etc/letsencrypt/\S+/fullchain\.pem|CERTIFICATE", f"{folder}/certificate.pem"),
        (r"/etc/letsencrypt/\S+/privkey\.pem|\bKEY\b", f"{folder}/key.pem"),
        (r"listen \[::\]:.*", ""),
        (r"listen 443", f"listen 127.0.0.1:{https}"),
        (r"listen 80", f"listen 127.0.0.1:{plain}"),
        (r"127\.0\.0\.1:8000", f"127.0.0.1:{backend}"),
        (r"/etc/nginx/jobauto", f"{folder}/jobauto"),
        (r"/var/cache/jobauto", f"{folder}/cache"),
        (r"/var/www/html", f"{folder}/webroot"),
    )

    def own(text: str) -> str:
        for pattern, value in replaced:
            text = re.sub(pattern, value, text)
        return text

    for file in (folder / "jobauto").iterdir():
        file.write_text(own(file.read_text()))
    main = folder / "nginx.conf"
    main.write_text(MAIN.format(folder=folder, content=own(content)))
    return main


def nginx_command(folder: Path) -> list[str]:
    """How nginx is called on a test's own files."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if program is None:
        lacking("nginx")
    # The test's folder is open to its owner only. Who is not root may not name a user.
    rest = "daemon off; user root;" if os.geteuid() == 0 else "daemon off;"
    return [str(program), "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf"), "-g", rest]


@contextmanager
def serving(folder: Path, database_uri: str, *, prefix: str = "", **variables: str) -> Iterator[Site]:
    """nginx before gunicorn before the program, until the block ends."""
    make_certificate(folder)
    ports = free_port(), free_port(), free_port()
    content = WITH_A_SUBPATH.format(name=NAME) if prefix else (DEPLOY / "nginx" / "jobauto.conf").read_text()
    configure_nginx(folder, content, ports)
    env = environment(database_uri, folder / "instance", **configured(), **variables)
    copied = [str(BIN / "jobauto"), "static-files", str(folder / "cache")]
    subprocess.run(copied, env=env, check=True, capture_output=True, timeout=PATIENCE)
    command = [
        *(str(BIN / "gunicorn"), "--config", str(DEPLOY / "gunicorn.conf.py")),
        *("--bind", f"127.0.0.1:{ports[2]}", "--access-logfile", "-"),
    ]
    with started(command, env) as gunicorn, started(nginx_command(folder), dict(env)) as nginx:
        gunicorn.await_line("Listening at")
        site = Site(folder, *ports, prefix, nginx, gunicorn)
        await_until(lambda: _answers(site), "nginx passes requests on")
        yield site


def configured() -> dict[str, str]:
    """The variables of deploy/jobauto.env, less the paths."""
    lines = re.findall(r"^(JOBAUTO_\w+)='(.*)'$", (DEPLOY / "jobauto.env").read_text(), re.MULTILINE)
    return {name: value for name, value in lines if name != "JOBAUTO_INSTANCE_PATH"}


def _answers(site: Site) -> bool:
    try:
        return site.ask("/healthz").status == 200
    except OSError:
        return False
