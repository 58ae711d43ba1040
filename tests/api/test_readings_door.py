"""Readings through the API, as JSON or CSV."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.imports import background
from jobauto.imports.recorded import Recorded
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


def counted(answer: Any) -> list[int]:
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
        "errors": [], "warnings": [], "ignored_columns": [], "import_id": 1,
    }  # fmt: skip
    assert counted(second.json) == [0, 0, 2, 0]
    assert stored() == [Decimal("1.50"), Decimal("2.50")]


def test_readings_whose_import_was_given_up_may_be_sent_again(
    oscar: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_given_up(self: Recorded, **_: object) -> None:
        background.process_pending(lambda: utcnow() + timedelta(minutes=3))
        end(self)

    end = Recorded._end
    with monkeypatch.context() as patched:
        patched.setattr(Recorded, "_end", is_given_up)
        refused = oscar.api("POST", READINGS, json=[reading()])
    assert (refused.status_code, has_shape(refused.json, ERROR)) == (503, True)
    assert "nothing is done twice" in refused.json["error"]
    assert counted(oscar.api("POST", READINGS, json=[reading()]).json) == [0, 0, 1, 0]


def test_csv_is_the_same_as_json(oscar: Person) -> None:
    body = f"{HEADER}flat,{AT},1.5\nnobody,{AT},2\n"
    answer = oscar.api("POST", READINGS, data=body.encode(), content_type="text/csv; charset=utf-8")
    assert counted(answer.json) == [1, 0, 0, 1]
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
    assert counted(answer.json) == [1, 0, 0, 0]
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
    assert counted(answer.json) == [1, 0, 0, 1]
    (error,) = answer.json["errors"]
    assert error["line"] == 1
    assert error["error"]
    assert stored() == [Decimal("2.00")]


def test_where_no_row_could_be_taken_of_several_the_answer_is_422_and_tells_of_each(oscar: Person) -> None:
    response = oscar.api(
        "POST", READINGS, json=[reading(site_id="nobody"), reading("x"), {"site_id": "flat"}]
    )
    assert response.status_code == 422
    assert counted(response.json) == [0, 0, 0, 3]
    assert [error["line"] for error in response.json["errors"]] == [1, 2, 3]
    assert response.json["warnings"] == response.json["ignored_columns"] == []
    assert response.json["error"].startswith(
        "None of the 3 rows could be taken: 1 row of 1 unknown site: nobody"
    )
    assert response.json["fields"] == {
        "site_id": ["1 row of 1 unknown site: nobody", "1 row: missing: reading_date, reading_value"],
        "reading_value": ["1 row: reading_value is not a number like 1234.56"],
    }


@pytest.mark.parametrize(
    ("body", "counts"),
    [
        pytest.param([], [0, 0, 0, 0], id="none"),
        pytest.param([reading(site_id="nobody")], [0, 0, 0, 1], id="a single bad one"),
        pytest.param(reading("x"), [0, 0, 0, 1], id="a bad one alone"),
        pytest.param([reading(), reading("x")], [1, 0, 0, 1], id="a good one"),
    ],
)
def test_otherwise_it_is_200(oscar: Person, body: Any, counts: list[int]) -> None:
    response = oscar.api("POST", READINGS, json=body)
    assert (response.status_code, counted(response.json)) == (200, counts)


def test_columns_that_nobody_takes_and_doubtful_values_are_named(oscar: Person) -> None:
    rows = [reading(f"1.00{day}", at=f"2026-01-0{day}T06:00Z") | {"unit": "MWh"} for day in range(1, 4)]
    answer = oscar.api("POST", READINGS, json=rows).json
    assert counted(answer) == [3, 0, 0, 0]
    assert answer["ignored_columns"] == ["unit"]
    assert answer["warnings"] == [
        "flat: every value has exactly three decimals: MWh, or a dot for thousands?"
    ]


@pytest.mark.parametrize("names", ["unit", "Unit&ignore_column=status"])
def test_a_column_that_refuses_a_file_can_be_ignored(oscar: Person, names: str) -> None:
    body = f"site_id,reading_date,reading_value,unit\nflat,{AT},1.5,kWh\n".encode()
    refused = oscar.api("POST", READINGS, data=body, content_type="text/csv")
    assert refused.status_code == 422
    assert has_shape(refused.json, ERROR)
    assert "&ignore_column=unit" in refused.json["error"]
    answer = oscar.api("POST", f"{READINGS}?ignore_column={names}", data=body, content_type="text/csv")
    assert (answer.status_code, answer.json["ignored_columns"]) == (200, ["unit"])
    assert stored() == [Decimal("1.50")]


def test_a_parameter_that_it_does_not_know_stores_nothing(oscar: Person) -> None:
    body = f"site_id,reading_date,reading_value\nflat,{AT},1.5\n".encode()
    refused = oscar.api("POST", f"{READINGS}?sheet=Wh", data=body, content_type="text/csv")
    assert (refused.status_code, refused.json["fields"]) == (
        400,
        {"sheet": ["There is no such parameter."]},
    )
    assert stored() == []


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
