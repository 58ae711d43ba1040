"""A run that is asked for through the API."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, text, update

from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import Job, Run, Site
from jobauto.runs.lifecycle import Claim, start
from tests.api.fleet import ERROR, RULE_RESULT, has_shape
from tests.fleets import NOON, add_site, daily
from tests.people import Person

ANSWER = {
    "success": bool,
    "created_jobs": int,
    "run_id": int,
    "as_of": str,
    "status": str,
    "rules": dict,
}


def ask(person: Person, **body: Any) -> Any:
    return person.api("POST", "/api/job-automation/run-manual/", **body)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="none"),
        pytest.param({"json": {}}, id="an object"),
        pytest.param({"data": b"{", "content_type": "application/json"}, id="broken JSON"),
        pytest.param({"data": b"x" * 100, "content_type": "text/plain"}, id="text"),
    ],
)
def test_a_run_needs_no_body_and_takes_none(app: Flask, oscar: Person, body: dict[str, Any]) -> None:
    add_site("silent")
    response = ask(oscar, **body)
    assert response.status_code == 200
    assert has_shape(response.json, ANSWER)
    assert all(has_shape(rule, RULE_RESULT) for rule in response.json["rules"].values())
    assert (response.json["success"], response.json["created_jobs"]) == (True, 1)
    made = db.session.scalars(select(Run)).one()
    assert (made.id, made.trigger, made.requested_by) == (response.json["run_id"], "api", "oscar")


def test_a_second_one_opens_no_second_job(app: Flask, oscar: Person) -> None:
    add_site("silent")
    first, second = ask(oscar).json, ask(oscar).json
    assert (first["created_jobs"], second["created_jobs"]) == (1, 0)
    assert second["rules"]["no_coms"]["skipped"] == 1


def test_one_is_refused_while_another_is_under_way(app: Flask, oscar: Person) -> None:
    with db.engine.connect() as connection:
        start(connection, Claim("manual", "ada", NOON, NOON, settings_version=1))
    response = ask(oscar)
    assert response.status_code == 409
    assert has_shape(response.json, ERROR)
    assert "under way" in response.json["error"]


def test_a_rule_that_fails_is_told_and_does_not_stop_the_other(app: Flask, oscar: Person) -> None:
    add_site("silent")
    add_site("flat", daily([7, 7, 7, 7], utcnow()))

    def fail(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.startswith("INSERT INTO job ") and "zero_reads" in str(parameters):
            raise RuntimeError("the disk is full")

    event.listen(db.engine, "before_cursor_execute", fail)
    response = ask(oscar)

    assert response.status_code == 500
    assert has_shape(response.json, ANSWER | ERROR)
    assert (response.json["success"], response.json["status"]) == (False, "partial")
    assert response.json["rules"]["zero_reads"]["status"] == "failed"
    assert response.json["rules"]["no_coms"]["created"] == 1
    assert "zero_reads" in response.json["error"]
    assert "the disk is full" in response.json["error"]
    assert "Traceback" not in response.text
    assert db.session.scalars(select(Job.rule)).all() == ["no_coms"]


def test_a_run_that_is_given_up_while_it_lasts_is_told_so(app: Flask, oscar: Person) -> None:
    add_site("silent")

    def bury(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("INSERT INTO verdict"):
            event.remove(db.engine, "before_cursor_execute", bury)
            with db.engine.connect() as other:
                other.execute(text("UPDATE run SET status = 'crashed'"))
                other.commit()

    event.listen(db.engine, "before_cursor_execute", bury)
    response = ask(oscar)

    assert response.status_code == 500
    assert (response.json["success"], response.json["fields"]) == (False, {})
    assert "given up" in response.json["error"]
    assert db.session.scalars(select(Job.id)).all() == []


def test_inactive_sites_are_not_judged(app: Flask, oscar: Person) -> None:
    add_site("silent")
    db.session.execute(update(Site).values(active=False))
    db.session.commit()
    assert ask(oscar).json["rules"]["no_coms"]["checked"] == 0
