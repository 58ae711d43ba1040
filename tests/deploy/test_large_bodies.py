"""nginx takes large bodies of those only whom the program knows, and of nobody too much at a time."""

import re
import socket
import ssl
import subprocess
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from shutil import which

import pytest

from tests.databases import lacking
from tests.deploy.site import NAME, Site
from tests.people import PASSWORD
from tests.processes import PATIENCE, await_until

pytestmark = pytest.mark.process

MADE_UP = "__Host-jobauto_session=eyJfdXNlcl9pZCI6IngifQ.aaaaaa.bbbb"
FILE = "multipart/form-data; boundary=b"


def begin(
    site: Site,
    address: str,
    length: str,
    cookie: str = "",
    peer: str = "127.0.0.11",
    method: str = "POST",
) -> ssl.SSLSocket:
    """A request of which a megabyte comes, and the rest does not."""
    connection = site.connect(peer)
    kind = FILE if address.startswith("/import") else "text/csv"
    head = (
        f"{method} {site.prefix}{address} HTTP/1.1\r\nHost: {NAME}:{site.port}\r\n"
        f"Content-Type: {kind}\r\nCookie: {cookie}\r\n{length}\r\n\r\n"
    )
    part = "186A0\r\n" + "x" * 100_000 + "\r\n" if "chunked" in length else "x" * 100_000
    with suppress(OSError):
        connection.sendall((head + part * 10).encode())
    return connection


def answer(connection: ssl.SSLSocket, patience: float = PATIENCE) -> str:
    """What comes back, until nothing does for a second; for its beginning there is more patience."""
    connection.settimeout(patience)
    seen = b""
    with connection, suppress(OSError):
        while part := connection.recv(65536):
            seen += part
            connection.settimeout(1)
    return seen.decode(errors="replace")


def is_waited_for(connection: ssl.SSLSocket) -> bool:
    """Whether the rest of the request is: for a second nothing comes back."""
    return answer(connection, 1) == ""


def curl(site: Site, address: str, *options: str) -> str:
    """The version of HTTP and the status of an answer to curl, which speaks HTTP/2."""
    if not (program := which("curl")):
        lacking("curl")
    done = subprocess.run(
        [
            *(str(program), "--silent", "--http2", "--cacert", str(site.folder / "certificate.pem")),
            *("--resolve", f"{NAME}:{site.port}:127.0.0.1", *options),
            *("--write-out", "%{http_version} %{http_code}", "--output", str(site.folder / "said")),
            f"https://{NAME}:{site.port}{address}",
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.stdout


def send_unannounced(site: Site, address: str, *options: str) -> str:
    """The same, of 5 MB that are sent without their length."""
    with (site.folder / "large").open("wb") as file:
        file.truncate(5_000_000)
    content = ("--data-binary", f"@{site.folder}/large", "--header", "Content-Type: text/csv")
    return curl(site, address, "--header", "Content-Length:", *content, *options)


def token(site: Site, scope: str) -> str:
    """A new token of Oscar's."""
    name = token_hex(8)  # the same form twice within ten seconds is taken once
    asked = {"action": "token", "name": name, "scope": scope, "days": "1", "confirm": PASSWORD}
    found = re.search(r"jobauto_[\w-]{43}", site.log_in("oscar").post("/account", **asked).text)
    assert found
    return found[0]


def stored(site: Site) -> int:
    """Bytes of bodies that nginx keeps on its disk: in files that it has open, and has deleted already."""
    nginx, bodies, size = site.nginx.popen.pid, str(site.folder / "body"), 0
    for worker in Path(f"/proc/{nginx}/task/{nginx}/children").read_text().split():
        for file in Path(f"/proc/{worker}/fd").iterdir():
            with suppress(FileNotFoundError):
                size += file.stat().st_size if str(file.readlink()).startswith(bodies) else 0
    return size


@pytest.mark.parametrize("cookie", ["", MADE_UP], ids=["no cookie", "a cookie that somebody made up"])
@pytest.mark.parametrize("length", ["Content-Length: 10000000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize(
    ("address", "status", "told"),
    [
        pytest.param("/import/", 302, "Location: /login?next=/import/", id="a file"),
        pytest.param("/profiles/x", 302, "Location: /login?next=/profiles/x", id="a sample"),
        pytest.param("/policies/", 302, "Location: /login?next=/policies/", id="a policy"),
        pytest.param("/api/readings/", 401, '{"error": "Log in, ', id="rows"),
    ],
)
def test_a_strangers_large_body_is_refused_before_it_is_kept(
    site: Site, address: str, status: int, told: str, length: str, cookie: str
) -> None:
    length = length.replace("10000000", "2000000")
    connection = begin(site, address, length, cookie)
    assert stored(site) == 0
    said = answer(connection)
    assert said.startswith(f"HTTP/1.1 {status} "), said[:300]
    assert told in said
    assert "Strict-Transport-Security: max-age=31536000" in said


@pytest.mark.parametrize("length", ["Content-Length: 2000000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("address", ["/import/", "/profiles/x", "/policies/", "/api/readings/"])
def test_so_is_a_viewers_who_may_send_none(site: Site, address: str, length: str) -> None:
    connection = begin(site, address, length, site.log_in("vera").cookie)
    assert stored(site) == 0
    said = answer(connection)
    assert said.startswith("HTTP/1.1 403 "), said[:300]
    assert "Strict-Transport-Security: max-age=31536000" in said
    assert ('{"error": "This needs ' in said) == address.startswith("/api/")


def test_somebody_who_is_logged_in_is_waited_for(site: Site) -> None:
    oscar = site.log_in("oscar")
    for address in ("/import/", "/api/readings/"):
        connection = begin(site, address, "Content-Length: 9000000", oscar.cookie)
        await_until(lambda: stored(site) > 500_000, "what has come of the body is kept")
        assert is_waited_for(connection)


@pytest.mark.parametrize("scope", ["ingest", "full"])
def test_a_script_sends_as_many_rows_as_the_api_takes(site: Site, scope: str) -> None:
    headers = {"Authorization": f"Bearer {token(site, scope)}", "Content-Type": "text/csv"}
    rows = b"site_id,reading_date,reading_value\n" + b"S1,2026-01-01T00:00,1\n" * 20_000
    answer = site.ask("/api/readings/", "POST", rows, headers)
    assert "20,000 rows" in answer.text, (answer.status, answer.text[:300])


def test_a_token_opens_the_large_bodies_of_no_page(site: Site) -> None:
    length = f"Content-Length: 9000000\r\nAuthorization: Bearer {token(site, 'full')}"
    said = answer(begin(site, "/import/", length))
    assert said.startswith("HTTP/1.1 302 "), said[:300]


@pytest.mark.parametrize("address", ["/import/", "/api/readings/"])
def test_a_body_that_http_2_does_not_announce_is_no_way_round(site: Site, address: str) -> None:
    said = send_unannounced(site, address)
    assert said == f"2 {401 if 'api' in address else 302}"


@pytest.mark.parametrize("method", ["GET", "DELETE", "PURGE"])
@pytest.mark.parametrize("address", ["/import/", "/profiles/x/", "/policies/", "/api/sites/"])
def test_a_body_beside_a_method_that_has_none_is_small(site: Site, address: str, method: str) -> None:
    """The limit of uploads counts forms alone, and nginx would keep each of a hundred bodies of 500 MB."""
    cookie = site.log_in("vera").cookie
    for length in ("Content-Length: 1000001", "Transfer-Encoding: chunked"):
        assert answer(begin(site, address, length, cookie, method=method)).startswith("HTTP/1.1 413 ")
    assert send_unannounced(site, address, "--request", method, "--header", f"Cookie: {cookie}") == "2 413"


def test_a_page_at_such_an_address_opens_by_http_2(site: Site) -> None:
    cookie = site.log_in("vera").cookie
    assert curl(site, "/import/?page=1", "--header", f"Cookie: {cookie}") == "2 200"
    assert curl(site, "/policies/") == "2 302"
    assert curl(site, "/api/sites/", "--header", f"Cookie: {cookie}") == "2 200"
    assert curl(site, "/api/sites/") == "2 401"
    assert curl(site, "/api/no/such", "--request", "DELETE", "--header", f"Cookie: {cookie}") == "2 404"


@pytest.mark.parametrize("address", ["/login", "/jobs/", "/no/such/page", "/healthz"])
def test_everywhere_else_a_body_is_small(site: Site, address: str) -> None:
    assert answer(begin(site, address, "Content-Length: 256001")).startswith("HTTP/1.1 413 ")


def test_one_client_sends_few_files_at_a_time(site: Site) -> None:
    cookie = site.log_in("oscar").cookie
    with ExitStack() as open_ones:
        for _ in range(4):
            connection = begin(site, "/import/", "Content-Length: 9000000", cookie, "127.0.0.12")
            open_ones.enter_context(connection)
        fifth = answer(begin(site, "/import/", "Content-Length: 9000000", cookie, "127.0.0.12"))
        assert fifth.startswith("HTTP/1.1 429 ")
        assert is_waited_for(begin(site, "/import/", "Content-Length: 9000000", cookie)), "others may"


def test_one_client_leaves_few_files_unread(site: Site) -> None:
    """They lie on nginx's disk as long as a client likes: of one viewer there would be 7 GB in an hour."""
    start = datetime(2020, 1, 1, tzinfo=UTC)
    rows = (f"long,{start + timedelta(minutes=number):%FT%TZ},{number}\n" for number in range(60_000))
    readings = "site_id,reading_date,reading_value\n" + "".join(rows)
    oscar, cookie = site.log_in("oscar"), site.log_in("vera").cookie
    token = {"X-CSRFToken": oscar.token("/import/")}
    oscar.send("/api/sites/", b'{"site_id": "long", "site_name": "Long"}', "application/json", **token)
    assert oscar.send("/api/readings/", readings, "text/csv", **token).json["new"] == 60_000
    asked = f"GET /readings.csv/long HTTP/1.1\r\nHost: {NAME}:{site.port}\r\nCookie: {cookie}\r\n\r\n"
    with ExitStack() as open_ones:

        def begins() -> str:
            connection = open_ones.enter_context(site.connect("127.0.0.13"))
            connection.sendall(asked.encode())
            return connection.recv(1000).decode()

        for _ in range(8):  # the program itself makes three at once
            await_until(lambda: begins().startswith("HTTP/1.1 200 "), "those before are made")
        assert "<hr><center>nginx</center>" in begins()
        await_until(lambda: oscar.get("/jobs/export.csv").status == 200, "others may, when one is made")


@pytest.mark.parametrize(
    ("method", "address", "most"),
    [
        ("POST", "/login", 30),
        ("GET", "/login/single-sign-on/callback", 30),
        ("GET", "/livez", 900),
        ("GET", "/api/jobs/", 900),
    ],
)
def test_one_client_asks_so_often_and_no_more(site: Site, method: str, address: str, most: int) -> None:
    said = ask_often(site, method, address, most, f"127.0.0.{20 + len(address)}")
    assert 0 < len(refused(said)) < most
    assert ('{"error": "Too many requests at once' in said) == address.startswith("/api/")
    assert site.ask(address).status in (200, 401, 404), "others may"


def test_a_browser_that_has_logged_in_before_is_not_kept_out_by_who_guesses_at_its_address(
    site: Site,
) -> None:
    address = "127.0.0.60"
    assert refused(ask_often(site, "POST", "/login", 40, address))
    assert refused(ask_often(site, "POST", "/login", 1, address, "Cookie: a=b"))
    assert not refused(
        ask_often(site, "POST", "/login", 1, address, f"Cookie: a=b; __Host-jobauto_device={'W' * 40}.x")
    )


def ask_often(site: Site, method: str, address: str, times: int, client: str, *lines: str) -> str:
    """The same request so many times on one connection, and all that is answered."""
    length = ("Content-Length: 0",) if method == "POST" else ()
    head = (f"{method} {address} HTTP/1.1", f"Host: {NAME}:{site.port}", *length, *lines)
    request, last = ("\r\n".join((*head, *more, "", "")) for more in ((), ("Connection: close",)))
    with site.connect(client) as connection:
        connection.sendall((request * (times - 1) + last).encode())
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def refused(said: str) -> list[str]:
    """Of many answers those that say that there were too many."""
    return re.findall(r"HTTP/1\.1 429 ", said)


def test_what_is_refused_before_it_has_come_is_taken_to_its_end(site: Site) -> None:
    """gunicorn would close, and nginx, still sending, answer 502 in the place of the program."""
    part = b"x" * 10_000
    head = f"POST /api/readings/ HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {900 * len(part)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", site.backend_port), PATIENCE) as raw:
        raw.sendall(head.encode())
        assert raw.recv(65536).startswith(b"HTTP/1.1 401 ")
        for _ in range(900):
            raw.sendall(part)
