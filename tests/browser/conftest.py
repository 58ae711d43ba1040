"""A real Chromium, the program on a real port, and the real Chart.js at the address of its CDN."""

import shutil
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Error, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.browser.visitor import Cdn, Visitor
from tests.databases import SQLITE, Postgresql, Sqlite, lacking
from tests.pages import scenes

CHART_PACKAGE = "chart.js@4.6.1"
CHART_FILE = "package/dist/chart.umd.min.js"
AXE_PACKAGE = "axe-core@4.14.1"
AXE_FILE = "package/axe.min.js"
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

Visit = Callable[..., Visitor]


@pytest.fixture(params=[SQLITE])
def engine(request: pytest.FixtureRequest) -> Sqlite | Postgresql:
    """One kind is enough for what a browser does; that pages are the same on both, tests of pages show."""
    kind: Sqlite | Postgresql = request.getfixturevalue(request.param)
    return kind


@pytest.fixture(scope="session")
def chart_js(pytestconfig: pytest.Config) -> bytes:
    """Chart.js as npm has it."""
    return _from_npm(pytestconfig, CHART_PACKAGE, CHART_FILE)


@pytest.fixture(scope="session")
def axe(pytestconfig: pytest.Config) -> str:
    """axe-core, which looks for what keeps people with assistive technology out."""
    return _from_npm(pytestconfig, AXE_PACKAGE, AXE_FILE).decode()


def _from_npm(pytestconfig: pytest.Config, package: str, file: str) -> bytes:
    """A file of a package, fetched once and kept in pytest's cache."""
    assert pytestconfig.cache
    folder = pytestconfig.cache.mkdir(package.split("@")[0])
    kept = folder / f"{package}.js"
    if not kept.exists():
        _fetch(package, file, folder, kept)
    return kept.read_bytes()


def _fetch(package: str, file: str, folder: Path, kept: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        lacking("npm")
        return
    packed = subprocess.run(
        [npm, "pack", package, "--silent"], cwd=folder, capture_output=True, text=True, check=False
    )
    if packed.returncode:
        lacking(f"{package} from the npm registry")
    with tarfile.open(folder / packed.stdout.split()[-1]) as archive:
        content = archive.extractfile(file)
        assert content
        kept.write_bytes(content.read())


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium, otherwise Playwright's own."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        except Error:
            lacking("Chromium")
            return
        yield browser
        browser.close()


class _Silent(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Where the program is served."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def run_id(app: Flask) -> int:
    """The run that has checked a fleet with one fault of each kind."""
    return scenes.checked_fleet()


@pytest.fixture
def visit(chromium: Browser, chart_js: bytes, address: str, cast: None) -> Iterator[Visit]:
    """Make a visitor. At the end each is asked whether the browser had something to complain about."""
    visitors: list[Visitor] = []

    def make(*, logged_in_as: str | None = "ada", cdn: Cdn = "real", **options: object) -> Visitor:
        visitor = Visitor(chromium, address, chart_js, cdn, options)
        visitors.append(visitor)
        if logged_in_as:
            visitor.log_in(logged_in_as)
        return visitor

    yield make
    for visitor in visitors:
        visitor.leave()
