"""Readings through the API, as JSON or CSV."""

from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from jobauto.extensions import db
from jobauto.models import Reading
from tests.api.fleet import ERROR, has_shape
from tests.people import Person

READINGS = "/api/readings/"
HEADER = "site_id,reading_date,reading_value\n"
AT = "2026-01-05T06:00:00Z"


@pytest.fixture
def oscar(standing: Flask, people: dict[str | None, Person]) -> Person:
    db.session.execute(delete(Reading))
    db.session.commit()
    return people["oscar"]


def reading(value: Any = "1.5", site_id: Any = "flat", at: Any = AT) -> dict[str, Any]:
    return {"site_id": site_id, "reading_date": at, "reading_value": value}


def pluralize(answer: Any) -> list[int]:
    return [answer[name] for name in ("new", "updated", "unchanged", "rejected")]


def stored() -> list[Decimal]:
    db.session.rollback()
    return list(db.session.scalars(select(Reading.reading_value).order_by(Reading.reading_date)))


def test_json_is_counted_and_may_be_sent_again(oscar: Person) -> None:
    body = [reading("1.5"), reading("2.5", at="2026-01-06T06:00:00+01:00")]
    first, second = (oscar.api("POST", READINGS, json=body) for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.json == {
        "new": 2, "updated": 0, "unchanged": 0, "rejected": 0,
        "errors": [], "warnings": [], "ignored_columns": [],
    }  # fmt: skip
    assert pluralize(second.json) == [0, 0, 2, 0]
    assert stored() == [Decimal("1.50"), Decimal("2.50")]


def test_csv_is_the_same_as_json(oscar: Person) -> None:
    body = f"{HEADER}flat,{AT},1.5\nnobody,{AT},2\n"
    answer = oscar.api("POST", READINGS, data=body.encode(), content_type="text/csv; charset=utf-8")
    assert pluralize(answer.json) == [1, 0, 0, 1]
    assert answer.json["errors"] == [{"line": 3, "error": "unknown site: nobody"}]
    assert stored() == [Decimal("1.50")]


@pytest.mark.parametrize(
    ("number", "value"),
    [
        pytest.param("0.1", "0.10", id="never through a float"),
        pytest.param("999999999999.99", "999999999999.99", id="the largest"),
        pytest.param("-999999999999.99", "-999999999999.99", id="the smallest"),
        pytest.param("1.005", "1.01", id="rounded half up"),
        pytest.param('"7"', "7.00", id="as text"),
    ],
)
def test_a_number_is_taken_as_it_was_written(oscar: Person, number: str, value: str) -> None:
    body = f'[{{"site_id": "flat", "reading_date": "{AT}", "reading_value": {number}}}]'
    answer = oscar.api("POST", READINGS, data=body, content_type="application/json")
    assert pluralize(answer.json) == [1, 0, 0, 0]
    assert stored() == [Decimal(value)]


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(reading(site_id="nobody"), id="an unknown site"),
        pytest.param(reading(site_id="a\0b"), id="NUL in a site"),
        pytest.param(reading(site_id="\ud800"), id="a surrogate in a site"),
        pytest.param(reading(None), id="no value"),
        pytest.param(reading(True), id="true"),
        pytest.param(reading(float("nan")), id="NaN"),
        pytest.param(reading(float("inf")), id="infinity"),
        pytest.param(reading(1e300), id="a huge number"),
        pytest.param(reading("1,5"), id="a decimal comma"),
        pytest.param(reading("1_000"), id="an underscore"),
        pytest.param(reading("٣"), id="Arabic digits"),
        pytest.param(reading([1]), id="a list"),
        pytest.param(reading(at=1767592800), id="Unix seconds"),
        pytest.param(reading(at="05/01/2026 06:00"), id="day first"),
        pytest.param(reading(at="2026-02-30T06:00"), id="30 February"),
        pytest.param(reading(at="2026-03-29T01:30"), id="a local time that the clocks skip"),
        pytest.param(reading(at="2999-01-01T06:00Z"), id="the future"),
        pytest.param({"site_id": "flat"}, id="half a reading"),
        pytest.param([], id="a list for a reading"),
    ],
)
def test_a_bad_reading_is_rejected_and_the_good_one_kept(oscar: Person, wrong: Any) -> None:
    answer = oscar.api("POST", READINGS, json=[wrong, reading("2")])
    assert answer.status_code == 200
    assert pluralize(answer.json) == [1, 0, 0, 1]
    (error,) = answer.json["errors"]
    assert error["line"] == 1
    assert error["error"]
    assert stored() == [Decimal("2.00")]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b"", "text/csv", id="an empty file"),
        pytest.param(b"a,b\n1,2\n", "text/csv", id="a file without the columns"),
        pytest.param(b"7", "application/json", id="no list"),
    ],
)
def test_what_is_no_list_of_readings_is_refused_as_a_whole(
    oscar: Person, body: bytes, content_type: str
) -> None:
    response = oscar.api("POST", READINGS, data=body, content_type=content_type)
    assert response.status_code == 422
    assert has_shape(response.json, ERROR)
    assert stored() == []
