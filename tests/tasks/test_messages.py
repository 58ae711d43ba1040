"""Messages where a broker is configured: a worker sends them, without waiting for a tick."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.notifications import receivers
from tests.notifications.telling import add_heartbeat, add_message
from tests.people import Person
from tests.processes import await_until
from tests.tasks.conftest import Worker

pytestmark = [pytest.mark.process, pytest.mark.any_engine]


@pytest.fixture
def web() -> Iterator[receivers.Web]:
    """A web server that is told."""
    with receivers.web() as server:
        yield server


def test_the_signs_of_life_of_a_run_are_given_by_the_worker_that_did_it(
    app: Flask, oscar: Person, worker: Worker, web: receivers.Web
) -> None:
    add_heartbeat(f"{web.address}/watch")
    oscar.post("/run-now")
    with worker():
        await_until(lambda: len(web.paths) == 2, "both heartbeats have come")
    assert web.paths == ["/watch/start", "/watch"]


def test_a_test_is_sent_by_a_worker(app: Flask, ada: Person, worker: Worker, web: receivers.Web) -> None:
    address = add_message(web.json_url())
    with worker():
        ada.post(f"/settings/notifications/{address}", action="test")
        await_until(lambda: web.titles, "the test has come")
    assert len(web.titles) == 1
