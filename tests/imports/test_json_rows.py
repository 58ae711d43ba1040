"""Rows from JSON: numbers are taken as they were written, and what cannot be a row is named."""

import pytest

from jobauto.imports import fields, rows
from jobauto.imports.lines import FileError
from jobauto.imports.rows import Rejected, Row

COLUMNS = ("site_id", "reading_date", "reading_value")


def value(written: str) -> str:
    """What becomes of a reading_value written so: kWh as text, or the reason."""
    (row,) = rows.from_json(
        b'[{"site_id": "S1", "reading_date": "d", "reading_value": %b}]' % written.encode(), COLUMNS
    )
    if isinstance(row, Rejected):
        return row.reason
    try:
        return f"{fields.watt_hours(row.values[2]) / 1000}"
    except fields.FieldError as error:
        return str(error)


NO_NUMBER = "reading_value is not a number like 1234.56"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("0.1", "0.1"),
        ("180.25", "180.25"),
        ("-5", "-5.0"),
        ("0.125", "0.13"),
        ("0.12499999999999999999999999999", "0.12"),
        ("1.005", "1.01"),  # a float would make it 1.00
        ('"180.25"', "180.25"),
        ('" 180.25 "', "180.25"),
        ("1e5", NO_NUMBER),
        ("1E-2", NO_NUMBER),
        ('"1e5"', NO_NUMBER),
        ('"180,25"', NO_NUMBER),
        ("12345678901234567890", "reading_value is too large"),
        (f"1{'0' * 5000}", "reading_value is too large"),
        ("NaN", NO_NUMBER),
        ("Infinity", NO_NUMBER),
        ("-Infinity", NO_NUMBER),
        ("true", NO_NUMBER),
        ("false", NO_NUMBER),
        ("null", NO_NUMBER),
        ('""', NO_NUMBER),
        ('"\\ud800"', NO_NUMBER),
        ('"1\\u0000"', NO_NUMBER),
        ("[1]", "a field is not text or a number"),
        ('{"kWh": 1}', "a field is not text or a number"),
        ("[]", "a field is not text or a number"),
    ],
)
def test_a_value_is_taken_as_it_was_written(written: str, expected: str) -> None:
    assert value(written) == expected


def test_one_object_is_a_list_of_one() -> None:
    body = b'{"reading_value": 1, "site_id": 7, "reading_date": "d", "other": [1]}'

    assert list(rows.from_json(body, COLUMNS)) == [Row(1, ["7", "d", "1"])]


def test_each_item_is_a_line_and_a_bad_one_does_not_spoil_the_good() -> None:
    body = b'[1, null, "S1,d,1", [], {}, {"site_id": "S1", "reading_date": "d", "reading_value": 1}]'

    assert list(rows.from_json(body, COLUMNS)) == [
        *(Rejected(line, "not an object") for line in (1, 2, 3, 4)),
        Rejected(5, "missing: site_id, reading_date, reading_value"),
        Row(6, ["S1", "d", "1"]),
    ]


def test_an_absent_optional_field_is_told_from_an_empty_one() -> None:
    read = rows.from_json(
        b'[{"id": 1}, {"id": 1, "group": null}, {"id": 1, "group": true}]', ["id"], ["group"]
    )

    assert [row.values for row in read if isinstance(row, Row)] == [["1", None], ["1", ""], ["1", "true"]]


@pytest.mark.parametrize("body", [b"[]", b" [ ] ", b"\xef\xbb\xbf[]"], ids=["empty", "spaces", "a mark"])
def test_an_empty_list_has_no_rows(body: bytes) -> None:
    assert list(rows.from_json(body, COLUMNS)) == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", "not JSON", id="nothing"),
        pytest.param(b"[{]", "not JSON", id="broken"),
        pytest.param(b'[{"site_id": "S1"}', "not JSON", id="cut off"),
        pytest.param(b"site_id,reading_date,reading_value", "not JSON", id="CSV"),
        pytest.param(b'"\xff"', "not JSON", id="not UTF-8"),
        pytest.param(b"[" * 100_000, "not JSON", id="too deep"),
        pytest.param(b"3", "must be a JSON list", id="a number"),
        pytest.param(b"null", "must be a JSON list", id="null"),
        pytest.param(b'"text"', "must be a JSON list", id="text"),
    ],
)
def test_a_body_that_is_no_list_is_refused_whole(body: bytes, reason: str) -> None:
    with pytest.raises(FileError, match=reason):
        rows.from_json(body, COLUMNS)


@pytest.mark.parametrize("item", ["{}", "[]", "0", "[[[[]]]]"])
def test_a_body_of_nothing_but_many_values_is_refused_before_they_take_memory(item: str) -> None:
    body = f"[{','.join([item] * (10_000_000 // len(item + ',') - 1))}]".encode()
    with pytest.raises(FileError, match="more than 1,000,000 values"):
        rows.from_json(body, COLUMNS)


def test_a_full_body_of_the_shortest_rows_has_not_too_many_values() -> None:
    row = '{"site_id":"a","site_name":"b","group":""}'
    body = f"[{','.join([row] * (10_000_000 // len(row + ',') - 1))}]".encode()
    assert next(rows.from_json(body, ("site_id", "site_name"), ("group",))) == Row(1, ["a", "b", ""])
