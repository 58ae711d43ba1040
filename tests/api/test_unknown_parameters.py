"""A parameter or a value that a list does not know is refused by name: it would be taken for a filter."""

from typing import Any

import pytest
from flask import Flask, url_for

from tests.api.fleet import ERROR, has_shape
from tests.auth.routes import EXPECTED
from tests.auth.test_every_route import SOMETHING, routes
from tests.people import Person

LISTS = (
    "/api/jobs/",
    "/api/jobs/export.csv",
    "/api/sites/",
    "/api/job-automation/runs/",
    "/api/imports/",
    "/api/sites/flat/readings/",
)
EXPORTS = ("/api/jobs/export.csv", "/jobs/export.csv")


@pytest.fixture
def vera(standing: Flask, people: dict[str | None, Person]) -> Person:
    return people["vera"]


@pytest.mark.any_engine
@pytest.mark.parametrize("address", [*LISTS, "/jobs/export.csv"])
def test_an_unknown_parameter(vera: Person, address: str) -> None:
    response = vera.api("GET", f"{address}?asignee=opa") if "/api" in address else None
    answer = response or vera.get(f"{address}?asignee=opa")
    assert answer.status_code == 400
    assert "asignee" in answer.text
    if response is not None:
        assert has_shape(response.json, ERROR)
        assert response.json["fields"] == {"asignee": ["There is no such parameter."]}


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("method", "endpoint"), [key for key in sorted(EXPECTED) if key[1].startswith("api_")]
)
def test_no_endpoint_ignores_a_parameter(standing: Flask, method: str, endpoint: str) -> None:
    values: dict[str, Any] = {name: SOMETHING[name] for name in routes()[method, endpoint].arguments}
    with standing.test_request_context():
        address = url_for(endpoint, **values)
    answer = Person(standing, "ada").api(method, f"{address}?per_paige=1", json={})
    assert (answer.status_code, list(answer.json["fields"])) == (400, ["per_paige"])


@pytest.mark.any_engine
@pytest.mark.parametrize(
    "endpoint",
    [endpoint for method, endpoint in sorted(EXPECTED) if "csv" in str(routes()[method, endpoint])],
)
@pytest.mark.parametrize(("asked", "named"), [("gruop=x", "gruop"), ("group=x&group=y", "group")])
def test_no_file_ignores_a_parameter(standing: Flask, endpoint: str, asked: str, named: str) -> None:
    values: dict[str, Any] = {name: SOMETHING[name] for name in routes()["GET", endpoint].arguments}
    with standing.test_request_context():
        address = url_for(endpoint, **values)
    answer = Person(standing, "ada").get(f"{address}?{asked}")
    assert (answer.status_code, f"{named}:" in answer.text) == (400, True)


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("address", "asked"),
    [
        *((address, f"before_id={value}") for address in LISTS[:1] for value in ("0", "x", "1.0", "-1")),
        *(("/api/jobs/", asked) for asked in ("priority=urgent", "recovered=yes", "status=opne")),
        *(("/api/job-automation/runs/", asked) for asked in ("before_id=%D9%A1", "status=open")),
        *(
            ("/api/sites/flat/readings/", f"from={text}")
            for text in ("31.03.2026", "yesterday", "1774958400")
        ),
        ("/api/sites/flat/readings/", "to=2026-03-29T01:30"),
        ("/api/sites/flat/readings/", "per_page=1001"),
        *((address, "status=opne") for address in EXPORTS),
        *((address, "rule=none") for address in EXPORTS),
        ("/jobs/export.csv", "sort=best"),
        ("/jobs/export.csv", "min_age=old"),
        ("/jobs/export.csv", "status=open&status=closed"),
    ],
)
def test_a_value_that_cannot_be_meant(vera: Person, address: str, asked: str) -> None:
    name = asked.split("=")[0]
    if address.startswith("/api"):
        response = vera.api("GET", f"{address}?{asked}")
        assert response.status_code == 400
        assert list(response.json["fields"]) == [name]
    else:
        page = vera.get(f"{address}?{asked}")
        assert page.status_code == 400
        assert f"{name}: " in page.text


def test_a_kept_view_of_what_nobody_has_any_more_is_exported_as_it_is_listed(vera: Person) -> None:
    answer = vera.get("/jobs/export.csv?assignee=gone&queue=old&group=none&status=&search=")
    assert answer.status_code == 200
    assert len(answer.text.splitlines()) == 1, "the header alone"
