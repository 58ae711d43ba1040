"""What numbers mean: signs, units, sums, rounding, and what is no reading."""

from decimal import Decimal
from typing import Any

import pytest

from jobauto.imports import fields
from tests.profiles.reading import read

GERMAN = {"decimal": ",", "thousands": "."}
VALUES = [
    # how it is written, the text, the kWh; "" is no reading, None is refused
    ({}, "1234.56", "1234.56"),
    ({}, " 1234.56 ", "1234.56"),
    ({}, "", ""),
    ({}, "1,234.56", None),
    ({}, "1.5E3", None),
    ({"thousands": ","}, "1,771.0", "1771.00"),
    ({"thousands": ","}, "12,345,678.9", "12345678.90"),
    ({"thousands": ","}, "1771.0", "1771.00"),
    ({"thousands": ","}, "1,77.0", None),
    ({"thousands": ","}, "1771,000", None),
    ({"thousands": ","}, ",771", None),
    ({"thousands": ","}, "1,771.000,5", None),
    ({"thousands": " "}, "12 345.6", "12345.60"),
    (GERMAN, "1.234,56", "1234.56"),
    (GERMAN, "1234,56", "1234.56"),
    (GERMAN, "1.234", "1234.00"),
    (GERMAN, "1234.56", None),
    (GERMAN, "-1.234,56", "-1234.56"),
    ({"decimal": ","}, "1.204", None),
    ({"decimal": ","}, "1204", "1204.00"),
    ({"exponent": True}, "1.02345E+04", "10234.50"),
    ({"exponent": True}, "771.000000", "771.00"),
    ({"exponent": True}, "1e-3", "0.00"),
    ({"exponent": True}, "1E999", None),
    ({"exponent": True}, "1E9999999999", None),
    ({"exponent": True}, "1E-999", "0.00"),
    ({"missing": ["-", "NaN"]}, "NaN", ""),
    ({"missing": ["-", "NaN"]}, " - ", ""),
    ({"missing": ["-", "NaN"]}, "nan", None),
    ({"missing": ["-1"]}, "-1", ""),
    ({"unit": "Wh"}, "35533144", "35533.14"),
    ({"unit": "Wh"}, "35533145", "35533.15"),
    ({"unit": "Wh"}, "-5", "-0.01"),
    ({"unit": "MWh"}, "1.204457", "1204.46"),
    ({"unit": "kWh"}, "NaN", None),
    ({"unit": "kWh"}, "+5", None),
    ({"unit": "kWh"}, "5 kWh", None),
    ({"unit": "Wh"}, "9" * 2000, None),
    ({"thousands": ","}, "\u0661\u0662", None),
]  # fmt: skip


def profile(value: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {
        "file": {"kind": "delimited", "delimiter": ";"},
        "header": {"names": ["Date", "A", "B"]},
        "site": {"constant": "S1"},
        "time": {"columns": ["Date"], "formats": ["iso"]},
        "value": {"columns": ["A"]} | value,
    } | parts


def value_of(document: dict[str, Any], cells: str) -> str | None:
    readings, rejected = read(document, f"2026-11-05T06:00;{cells}")
    if rejected:
        assert not readings
        assert rejected[0].reason.startswith("reading_value "), rejected
        return None
    return stored(readings[0][2]) if readings else ""


def stored(text: str) -> str | None:
    """What the importer makes of a value; None where it refuses it."""
    try:
        fields.watt_hours(text)
    except fields.FieldError:
        return None
    return text


@pytest.mark.parametrize(("written", "text", "kwh"), VALUES)
def test_a_number_is_read_as_the_profile_says(written: dict[str, Any], text: str, kwh: str | None) -> None:
    found = value_of(profile(written), text)

    assert (found and Decimal(found)) == (kwh and Decimal(kwh))


@pytest.mark.parametrize(
    ("value", "parts", "cells", "kwh"),
    [
        ({"columns": ["A", "B"]}, {}, "0.1;0.2", "0.30"),
        ({"columns": ["A", "B"]}, {}, "0.004;0.004", "0.01"),
        ({"columns": ["A", "B"], "unit": "Wh"}, {}, "4;4", "0.01"),
        ({"columns": ["A", "B"]}, {}, "5;", ""),
        ({"columns": ["A", "B"], "missing": ["-"]}, {}, "-;5", ""),
        ({"columns": ["A", "B"]}, {}, "5;x", None),
        ({"columns": ["A", "A"]}, {}, "5;x", "10.00"),
        ({"unit": "Wh"}, {"measure": "interval"}, "1810", "1.810"),
        ({"unit": "Wh"}, {"measure": "interval"}, "6010.5", "6.011"),
        ({"unit": "Wh"}, {"measure": "interval"}, "6010.4999", "6.010"),
    ],
)  # fmt: skip
def test_columns_are_added_up_made_kwh_and_then_rounded(
    value: dict[str, Any], parts: dict[str, Any], cells: str, kwh: str | None
) -> None:
    assert value_of(profile(value, **parts), cells) == kwh


@pytest.mark.parametrize(
    ("minutes", "kilowatts", "kwh"), [(15, "3.512", "0.878"), (20, "1", "0.333"), (60, "2.5", "2.500")]
)
def test_a_power_is_times_the_hours_of_its_interval(minutes: int, kilowatts: str, kwh: str) -> None:
    document = profile({"unit": "kW"}, measure="interval")
    document["time"]["minutes"] = minutes

    assert value_of(document, kilowatts) == kwh


def add(lines: str, **value: Any) -> tuple[list[tuple[str, str]], list[int]]:
    readings, rejected = read(profile({"unit": "Wh"} | value, same_instant="add"), lines, size=1)
    return [(at, kwh) for _, at, kwh in readings], [row.line for row in rejected]


@pytest.mark.parametrize(
    ("lines", "readings", "rejected"),
    [
        ("2026-11-05T06:00;4\n2026-11-05T06:00;4", [("2026-11-05T06:00:00Z", "0.01")], []),
        ("2026-11-05T06:00;4000\n2026-11-05T07:00;1000\n2026-11-05T06:00Z;500",
         [("2026-11-05T06:00:00Z", "4.50"), ("2026-11-05T07:00:00Z", "1.00")], []),
        ("2026-11-05T06:00;4000\n2026-11-05T06:00;", [("2026-11-05T06:00:00Z", "4.00")], []),
        ("2026-11-05T06:00;4000\n2026-11-05T06:00;x", [], [2]),
    ],
)  # fmt: skip
def test_rows_of_one_instant_are_added_up_where_the_profile_says_so(
    lines: str, readings: list[tuple[str, str]], rejected: list[int]
) -> None:
    assert add(lines) == (readings, rejected)
