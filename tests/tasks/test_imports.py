"""Imports where a broker is configured: a worker does them, and the import's page tells how far they are."""

import threading

import pytest
from flask import Flask

from jobauto.imports import background
from tests.fleets import add_site
from tests.pages.reading import words
from tests.pages.test_importing import BAD, GOOD, HEADER, send
from tests.people import Person
from tests.processes import Process, await_until
from tests.tasks.conftest import Worker

pytestmark = pytest.mark.process


def test_a_file_is_imported_by_a_worker_while_the_page_waits(
    app: Flask, oscar: Person, worker: Worker
) -> None:
    add_site("S1")

    page = send(oscar, HEADER + GOOD + BAD).location

    assert "imports" not in [thread.name for thread in threading.enumerate()]
    assert "Waiting for its turn" in words(oscar.get(page))
    with worker():
        await_until(lambda: "http-equiv" not in oscar.get(page).text, "the import ends")
    assert "2 rows were rejected The others are imported." in words(oscar.get(page))
    assert "New 1 Updated 0 Unchanged 0 Rejected 2" in words(oscar.get(page))
    assert oscar.get(f"{page}/rejected.csv").text == HEADER + BAD


def test_a_file_that_waits_in_vain_for_a_worker_is_imported_by_the_tick(
    oscar: Person, redis: Process
) -> None:
    add_site("S1")
    page = send(oscar, HEADER + GOOD).location
    background.process_pending()
    assert "Imported Every row of the file was taken." in words(oscar.get(page))
