"""The numbers for Prometheus: who may see them, and what they say."""

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.models import Import
from tests.fleets import NOON, add_site, daily
from tests.imports.undoing import send
from tests.people import Person


def numbers(text: str) -> dict[str, float]:
    """``name{label}`` to value."""
    return {
        sample.name + "".join(f"[{value}]" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("127.8.8.8", {}, 200),
        ("::1", {}, 200),
        ("192.0.2.1", {}, 401),
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.1"}, 401),
    ],
    ids=[
        "this machine",
        "another loopback address",
        "this machine by IPv6",
        "another machine",
        "a proxy here",
    ],
)
def test_without_a_token_only_this_machine_sees_them(
    app: Flask, stranger: Person, address: str, headers: dict[str, str], status: int
) -> None:
    answer = stranger.client.get("/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code == status


def test_a_token_sees_them_from_anywhere(app: Flask, vera: Person) -> None:
    answer = vera.api("GET", "/metrics", environ_overrides={"REMOTE_ADDR": "192.0.2.1"})
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")


def test_they_tell_of_the_newest_run_and_the_open_jobs(app: Flask, vera: Person) -> None:
    before = numbers(vera.api("GET", "/metrics").text)
    assert before["jobauto_last_success_timestamp_seconds"] == 0
    add_site("S1", daily([5] * 5))
    add_site("S2")
    run(RunParameters("cli"), lambda: NOON)
    run(RunParameters("cli"), lambda: NOON)

    told = numbers(vera.api("GET", "/metrics").text)

    assert told["jobauto_last_success_timestamp_seconds"] == NOON.timestamp()
    assert told["jobauto_run_overdue"] == 0
    assert (told["jobauto_last_run_findings[no_coms]"], told["jobauto_last_run_created_jobs[no_coms]"]) == (
        1,
        0,
    )
    assert told["jobauto_last_run_not_assessable[zero_reads]"] == 1
    assert (told["jobauto_open_jobs[no_coms]"], told["jobauto_open_jobs[zero_reads]"]) == (1, 1)
    assert told["jobauto_import_rows_total[rejected]"] == 0
    assert told["jobauto_imports_waiting"] == 0


def test_rows_of_an_import_count_when_it_has_ended_for_a_counter_never_falls(
    app: Flask, vera: Person
) -> None:
    add_site("S1")
    told = []

    def look(*_: object) -> None:
        db.session.execute(update(Import).values(new=1))  # as one of the page tells while it goes on
        db.session.commit()
        told.append(numbers(vera.api("GET", "/metrics").text)["jobauto_import_rows_total[new]"])

    send(["S1,2026-03-01T06:00Z,1,"], progress=look)
    look()
    assert told == [0, 1]
