"""Files that were taken without a word and with a wrong meaning: a profile says what they mean."""

from typing import Any

import pytest

from tests.profiles.reading import Reading, read
from tests.profiles.test_given_files import FILES

OWN: dict[str, Any] = {
    "file": {"kind": "delimited"},
    "header": {"find": ["site_id"]},
    "site": {"column": "site_id"},
    "time": {"columns": ["reading_date"], "formats": ["iso"]},
    "value": {"columns": ["reading_value"]},
}
SHORT: dict[str, Any] = OWN | {
    "header": {"find": ["site"]},
    "site": {"column": "site"},
    "value": {"columns": ["v"]},
}


def dated(written: str, **time: str) -> dict[str, Any]:
    return SHORT | {"time": {"columns": ["date"], "formats": [written], **time}}


@pytest.mark.parametrize(
    ("name", "profile", "first"),
    [
        ("m01_thousands_dot.csv", OWN | {"value": {"columns": ["reading_value"], "unit": "MWh"}},
         ("S1", "2026-11-22T06:00:00Z", "1204.00")),
        ("m02_wh_with_unit_column.csv", OWN | {"value": {"columns": ["reading_value"], "unit": "Wh"}},
         ("S2", "2026-11-23T06:00:00Z", "35533.14")),
        ("m04_two_rates_same_instant.csv", OWN | {"same_instant": "add"},
         ("1200012345679", "2026-11-23T00:00:00Z", "1430.00")),
        ("m05_interval_values.csv", OWN | {"measure": "interval"},
         ("MILL-01", "2026-11-24T11:30:00Z", "1.9")),
        ("l01_ambiguous_day_first.csv", dated("%d/%m/%Y %H:%M"), ("A", "2026-11-05T09:30:00Z", "1")),
        ("l01_ambiguous_day_first.csv", dated("%m/%d/%Y %H:%M"), ("A", "2026-05-11T08:30:00Z", "1")),
        ("l02_two_digit_year.csv", dated("%d/%m/%y", date_only="00:00"), ("A", "2026-11-22T00:00:00Z", "1")),
    ],
)  # fmt: skip
def test_a_profile_says_what_a_misread_file_means(name: str, profile: dict[str, Any], first: Reading) -> None:
    readings, rejected = read(profile, (FILES / "misread" / name).read_bytes())

    assert readings[0] == first
    assert rejected == []


def test_a_serial_like_a_number_stays_text() -> None:
    profile = SHORT | {
        "header": {"names": ["meter", "v", "date"]},
        "site": {"column": "meter"},
        "time": {"columns": ["date"], "formats": ["iso"]},
    }

    assert read(profile, "21E00777,1,2026-11-05T06:00\n")[0][0][0] == "21E00777"


def test_the_sender_says_which_rows_are_estimated() -> None:
    profile = OWN | {"keep": [{"column": "status", "is_not": ["Estimated"]}]}

    assert read(profile, (FILES / "misread" / "m07_estimated.csv").read_bytes()) == ([], [])
