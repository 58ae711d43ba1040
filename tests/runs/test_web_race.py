"""Twelve askers at once, over HTTP, against a real server with several processes."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from flask import Flask

from jobauto.clock import utcnow
from tests.people import Person
from tests.processes import PATIENCE, environment, gunicorn
from tests.runs.fleet import add_faulty_fleet, every_fault_has_one_job, statuses

pytestmark = pytest.mark.process

ASKERS = 12


def ask(url: str, token: str | None) -> tuple[int, Any]:
    """Ask for a run; status and JSON of the answer."""
    request = Request(url, method="POST", headers={"Authorization": f"Bearer {token}"})  # noqa: S310 (loopback)
    try:
        with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except HTTPError as refusal:
        with refusal:
            return refusal.code, json.load(refusal)


@pytest.fixture
def answers(app: Flask, database_uri: str, tmp_path: Path, oscar: Person) -> list[tuple[int, Any]]:
    """What twelve askers are told who ask at the same moment."""
    add_faulty_fleet(utcnow())
    env = environment(database_uri, tmp_path, JOBAUTO_SCHEDULER_ENABLED="false")
    line = Barrier(ASKERS)

    def at_once(url: str) -> tuple[int, Any]:
        line.wait(PATIENCE)
        return ask(url, oscar.token)

    with (
        gunicorn(env, "--workers", "3", "--threads", "4") as (_, address),
        ThreadPoolExecutor(ASKERS) as pool,
    ):
        url = f"{address}/api/job-automation/run-manual/"
        return [future.result(PATIENCE) for future in [pool.submit(at_once, url) for _ in range(ASKERS)]]


def test_twelve_askers_at_once_get_one_job_a_fault_and_a_clean_answer_each(
    answers: list[tuple[int, Any]],
) -> None:
    assert every_fault_has_one_job()
    assert {status for status, _ in answers} <= {200, 409}
    done = [body for status, body in answers if status == 200]
    refused = [body for status, body in answers if status == 409]
    assert len(done) + len(refused) == ASKERS
    assert all(body["success"] is True for body in done)
    assert sum(body["created_jobs"] for body in done) == 20
    assert all(set(body) == {"error", "fields"} for body in refused)
    assert statuses() == ["succeeded"] * len(done)
