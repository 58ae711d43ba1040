"""Many people at once: what they ask, what goes on meanwhile, and how long each of them waits."""

import http.client
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import quantiles
from threading import Barrier, Event
from time import monotonic, perf_counter
from urllib.parse import urlsplit

from werkzeug.security import generate_password_hash

from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import Site, User
from jobauto.storage.bulk_copy import bulk_copy
from jobauto.storage.connections import write
from tests.backup.everything import application
from tests.people import Person
from tests.processes import PATIENCE, ROOT, await_until, environment, gunicorn

CLIENTS = 50
SITES = 2_000
DAYS = 30
CONFIGURATION = ("--config", str(ROOT / "deploy" / "gunicorn.conf.py"))
ASKED = (
    ("page", "GET", "/"),
    ("page", "GET", "/jobs/"),
    ("page", "GET", "/jobs/?status=open&rule=no_coms"),
    ("page", "GET", "/sites/"),
    ("page", "GET", "/sites/L-{number}"),
    ("page", "GET", "/runs/"),
    ("api", "GET", "/api/job-automation/dashboard/"),
    ("api", "GET", "/api/jobs/?per_page=50"),
    ("api", "GET", "/api/sites/L-{number}/"),
    ("api", "POST", "/api/readings/"),
)
"""A working day in small: six pages, three questions of scripts, and one reading that comes in."""


@dataclass
class Figures:
    """How long each request took, in seconds, and what was answered."""

    waited: list[float] = field(default_factory=list)
    statuses: Counter[int | str] = field(default_factory=Counter)
    seconds: float = 0
    runs: Counter[int | str] = field(default_factory=Counter)
    imported: int = 0

    def in_words(self) -> str:
        """``187 requests/s, median 210 ms, ...``."""
        cuts = quantiles(self.waited, n=100)
        times = (("median", 49), ("p95", 94), ("p99", 98))
        told = ", ".join(f"{name} {cuts[place] * 1000:.0f} ms" for name, place in times)
        return f"{len(self.waited) / self.seconds:.0f} requests/s, {told}"


@dataclass(frozen=True)
class Client:
    """One of the many, with an account of their own."""

    number: int
    address: str
    token: str
    cookie: str

    def ask(self, turn: int) -> tuple[int | str, float]:
        """One request; its status, or the name of what went wrong, and the seconds it took."""
        door, method, path = ASKED[(self.number + turn) % len(ASKED)]
        path = path.format(number=random.Random(f"{self.number}.{turn}").randrange(SITES // 4))  # noqa: S311
        headers = {"Cookie": self.cookie} if door == "page" else {"Authorization": f"Bearer {self.token}"}
        body = json.dumps([self._reading(turn)]) if method == "POST" else None
        return self.send(method, path, body, headers | {"Content-Type": "application/json"})

    def send(
        self, method: str, path: str, body: str | bytes | None, headers: dict[str, str]
    ) -> tuple[int | str, float]:
        """Send one request on a connection of its own."""
        began = perf_counter()
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status, perf_counter() - began
        except OSError as error:
            return type(error).__name__, perf_counter() - began
        finally:
            connection.close()

    def _reading(self, turn: int) -> dict[str, str]:
        date = (utcnow() - timedelta(seconds=turn)).isoformat()
        return {"site_id": f"L-{self.number}", "reading_date": date, "reading_value": str(100_000 + turn)}


@contextmanager
def site_under_load(uri: str, folder: Path, *, sites: int = SITES) -> Iterator[list[Client]]:
    """The program with a fleet, as a server runs it, and the many in front of it."""
    env = environment(uri, folder, JOBAUTO_SCHEDULER_ENABLED="false")
    keys = list(_prepare(uri, sites))
    with gunicorn(env, *CONFIGURATION) as (_, address):
        yield [Client(number, address, *key) for number, key in enumerate(keys)]


def press(clients: list[Client], turns: int, *, rows: int) -> Figures:
    """Each asks so many times, while a run follows a run and a file of so many rows is imported."""
    figures, line, enough = Figures(), Barrier(len(clients) + 1), Event()

    def ask(client: Client) -> list[tuple[int | str, float]]:
        line.wait(PATIENCE)
        return [client.ask(turn) for turn in range(turns)]

    import_page = _send_file(clients[1], rows)
    with ThreadPoolExecutor(len(clients) + 1) as pool:
        runs = pool.submit(_run_again_and_again, clients[0], enough)
        asked = [pool.submit(ask, client) for client in clients]
        line.wait(PATIENCE)
        began = monotonic()
        for answers in asked:
            for status, seconds in answers.result():
                figures.statuses[status] += 1
                figures.waited.append(seconds)
        figures.seconds = monotonic() - began
        enough.set()
        figures.runs = runs.result(PATIENCE)
    figures.imported = _await_import(clients[1], import_page)
    return figures


def _run_again_and_again(client: Client, enough: Event) -> Counter[int | str]:
    statuses: Counter[int | str] = Counter()
    while not enough.is_set() and statuses.total() < 1000:
        headers = {"Authorization": f"Bearer {client.token}"}
        statuses[client.send("POST", "/api/job-automation/run-manual/", None, headers)[0]] += 1
    return statuses


@dataclass
class _Browser:
    """A client that keeps the cookie it is given."""

    client: Client
    cookie: str

    def ask(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> tuple[str, str]:
        """A page's text, and where it leads."""
        connection = http.client.HTTPConnection(urlsplit(self.client.address).netloc, timeout=PATIENCE)
        connection.request(method, path, body, {"Cookie": self.cookie, "Content-Type": kind})
        answer = connection.getresponse()
        text, leads_to = answer.read().decode(), answer.headers["Location"] or ""
        self.cookie = (answer.headers["Set-Cookie"] or self.cookie).partition(";")[0]
        connection.close()
        return text, leads_to


def _send_file(client: Client, rows: int) -> str:
    """Send a file on the page Import; the address of its progress."""
    began = utcnow() - timedelta(days=DAYS, minutes=7)
    minutes = [(began + timedelta(minutes=minute)).isoformat() for minute in range(rows // 500 + 1)]
    lines = (f"L-{row % 500},{minutes[row // 500]},{1 + row // 500 / 100:.2f}\n" for row in range(rows))
    browser = _Browser(client, client.cookie)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.ask("GET", "/import/")[0])
    assert token
    fields = {"csrf_token": token[1], "kind": "readings"}
    body = "".join(
        f'--limit\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    body += (
        '--limit\r\nContent-Disposition: form-data; name="file"; filename="load.csv"\r\n\r\n'
        f"site_id,reading_date,reading_value\n{''.join(lines)}\r\n--limit--\r\n"
    )
    text, leads_to = browser.ask("POST", "/import/", body.encode(), "multipart/form-data; boundary=limit")
    assert leads_to.startswith("/import/"), text
    return leads_to


def _await_import(client: Client, page: str) -> int:
    """How many rows were new or known, once the import is done."""
    browser = _Browser(client, client.cookie)
    await_until(lambda: re.search(r"(?i)finished|failed", browser.ask("GET", page)[0]), "the import ends")
    import_id = int(page.strip("/").split("/")[-1])
    after = json.loads(browser.ask("GET", f"/api/imports/?before_id={import_id + 1}&per_page=1")[0])
    (entry,) = after["items"]
    return sum(entry[name] for name in ("new", "updated", "unchanged"))


def _prepare(uri: str, sites: int) -> Iterator[tuple[str, str]]:
    """A fleet with faults in a tenth of it; a token and a cookie for each client."""
    app = application(uri)
    with app.app_context():
        _add_fleet(sites, utcnow().replace(microsecond=0))
        hashed = generate_password_hash("not used", method="pbkdf2:sha256:1")
        with write() as session:
            session.add_all(
                User(
                    username=f"load-{number}",
                    password_hash=hashed,
                    role="operator",
                    active=True,
                    session_key=f"session-of-load-{number}",
                    created_at=utcnow(),
                )
                for number in range(CLIENTS)
            )
        for number in range(CLIENTS):
            person = Person(app, f"load-{number}")
            cookie = person.client.get_cookie(app.config["SESSION_COOKIE_NAME"])
            assert cookie
            yield str(person.token), f"{cookie.key}={cookie.value}"
        db.session.remove()
        db.engine.dispose()


GOOD = (0, 0, None, None)
"""Quality and meter of a reading; when it was received and by which import nobody knows."""


def _add_fleet(sites: int, now: datetime) -> None:
    with write() as session:
        session.add_all(Site(site_id=f"L-{number}", site_name=f"Load {number}") for number in range(sites))
        session.flush()
        numbered = list(session.query(Site.key, Site.site_id))
        readings = (
            (key, now - timedelta(days=day), (0 if int(site_id[2:]) % 20 == 1 else DAYS - day), *GOOD)
            for key, site_id in numbered
            for day in range(10 if int(site_id[2:]) % 20 == 0 else 0, DAYS)
        )
        while chunk := list(islice(readings, 10_000)):
            bulk_copy(session.connection(), db.metadata.tables["reading"], chunk)
