"""Run now with a worker, in a browser without scripts: the page waits, and leads to the run by itself."""

from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import expect

from jobauto.clock import utcnow
from tests import brokers
from tests.browser.conftest import Visit
from tests.processes import PATIENCE, environment
from tests.runs.fleet import add_faulty_fleet

pytestmark = pytest.mark.process


@pytest.fixture
def port() -> int:
    """The port of the broker."""
    return brokers.free_port()


@pytest.fixture(autouse=True)
def _broker_is_configured(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBAUTO_CELERY_BROKER_URL", brokers.address_of(port))


def test_the_page_waits_for_a_worker_and_follows_its_run(
    app: Flask, database_uri: str, tmp_path: Path, port: int, visit: Visit
) -> None:
    add_faulty_fleet(utcnow())
    env = environment(database_uri, tmp_path, JOBAUTO_CELERY_BROKER_URL=brokers.address_of(port))
    with brokers.redis(tmp_path, port):
        page = visit(logged_in_as="oscar", java_script_enabled=False).page
        page.get_by_role("button", name="Run now").click()
        expect(page.get_by_text("Waiting for a worker")).to_be_visible()
        with brokers.worker(env):
            page.wait_for_url("**/runs/1", timeout=PATIENCE * 1000)
            expect(page.get_by_text("Succeeded")).to_be_visible()
        expect(page.get_by_text("opened 12 new jobs")).to_be_visible()
