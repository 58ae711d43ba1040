"""A reload loses no request, and while the program is away the API still speaks JSON."""

import re
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from jobauto.web.headers import HSTS
from tests.databases import Sqlite
from tests.deploy.conftest import populate
from tests.deploy.site import Site, serving
from tests.deploy.test_large_bodies import answer as answer_of
from tests.deploy.test_large_bodies import begin
from tests.processes import await_until

pytestmark = pytest.mark.process


def ask_until(site: Site, enough: Event) -> Counter[int]:
    """Ask, one request after the other; how often each status came."""
    statuses: Counter[int] = Counter()
    while not enough.is_set():
        statuses[site.ask("/login").status] += 1
    return statuses


def test_a_graceful_reload_of_both_and_then_the_end(sqlite: Sqlite, tmp_path: Path) -> None:
    with sqlite.fresh() as uri:
        populate(uri)
        with serving(tmp_path, uri) as site:
            cookie = site.log_in("oscar").cookie
            enough = Event()
            with ThreadPoolExecutor(4) as pool:
                asked = [pool.submit(ask_until, site, enough) for _ in range(4)]
                try:
                    before = workers(site)
                    site.gunicorn.signal(signal.SIGHUP)
                    site.nginx.signal(signal.SIGHUP)
                    await_until(lambda: len(workers(site) - before) >= 2, "new workers serve")
                    await_until(lambda: stopped(site) >= 2, "the old ones go")
                finally:
                    enough.set()
            assert set(sum((answers.result() for answers in asked), Counter())) == {200}
            site.gunicorn.signal(signal.SIGTERM)
            assert site.gunicorn.end() == 0
            answer = site.ask("/api/jobs/")
            assert (answer.status, answer.headers["Content-Type"]) == (503, "application/json")
            assert answer.json["error"]
            assert answer.headers["Retry-After"]
            assert site.ask("/login").status == 502
            large = answer_of(begin(site, "/import/", "Content-Length: 9000000", cookie))
            assert large.startswith("HTTP/1.1 502 ")
            assert f"Strict-Transport-Security: {HSTS}" in large


def workers(site: Site) -> set[str]:
    """The process ids of the workers so far."""
    return set(re.findall(r"Booting worker with pid: ([0-9]+)", site.gunicorn.output))


def stopped(site: Site) -> int:
    """How many workers have gone."""
    return len(re.findall(r"Worker exiting", site.gunicorn.output))
