"""Files of kinds that were once taken without a word and with a wrong meaning."""

from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from jobauto.imports import readings, sites
from jobauto.imports.lines import FileError
from jobauto.imports.result import ImportResult
from tests.fleets import NOON, add_site
from tests.imports.importing import counts, stored_readings, stored_sites

TWO_RATES = """site_id,reading_date,register,reading_value
7,2026-03-23T00:00Z,DY,1042.0
7,2026-03-23T00:00Z,NT,388.0
"""


def read(file: str, *ignore: str) -> ImportResult:
    """Import a file of readings of the site 7."""
    add_site("7")
    source = readings.from_csv(BytesIO(file.encode()), ignore)
    return readings.import_readings(source, zone=ZoneInfo("Europe/London"), now=NOON)


@pytest.mark.parametrize(
    ("file", "column"),
    [
        ("site_id,reading_date,reading_value,unit\n7,2026-03-23T06:00Z,35533144,Wh\n", "unit"),
        (TWO_RATES, "register"),
        ("site_id,reading_date,reading_value,status\n7,2026-03-24T06:00Z,771.0,Estimated\n", "status"),
    ],
    ids=["watt-hours", "two rates", "estimated"],
)
def test_a_file_that_says_more_than_a_register_is_refused(app: Flask, file: str, column: str) -> None:
    with pytest.raises(FileError, match=f"a column {column}"):
        read(file)
    assert stored_readings() == {}


def test_of_two_rates_of_an_instant_neither_is_taken(app: Flask) -> None:
    result = read(TWO_RATES, "register")

    assert counts(result) == (0, 0, 0, 2)
    assert result.ignored_columns == ["register"]
    assert result.reasons.describe() == ["2 rows: different values for the same site and time"]


def import_sites(file: str) -> ImportResult:
    """Import a list of sites."""
    return sites.import_sites(sites.from_csv(BytesIO(file.encode())))


def test_numbers_that_a_spreadsheet_has_shortened_are_no_ids(app: Flask) -> None:
    result = import_sites("site_id,site_name\n2.00005E+12,Farm A\n2.00005E+12,Farm B\n2.00005E+12,Farm C\n")

    assert counts(result) == (0, 0, 0, 3)
    assert "a spreadsheet has made" in result.errors[0].reason


@pytest.mark.parametrize(
    ("file", "stored", "ignored"),
    [
        (
            "site_id,site_name,Monitored_From,Active,Group\nX,Closed,2026-03-20,false,N\n",
            ("2026-03-20", False, "N"),
            [],
        ),
        (
            "site_id,site_name,monitored from,is_active\nX,Closed,2026-03-20,false\n",
            ("2026-03-20", True, ""),
            ["is_active"],
        ),
    ],
    ids=["capitals", "another name"],
)
def test_columns_in_another_spelling_are_taken_or_named(
    app: Flask, file: str, stored: tuple[str, bool, str], ignored: list[str]
) -> None:
    result = import_sites(file)

    assert stored_sites() == {"X": ("Closed", *stored)}
    assert result.ignored_columns == ignored


def test_an_unknown_site_is_summed_up_with_the_others(app: Flask) -> None:
    rows = "".join(f"N{number % 12:02},2026-03-{day:02}T06:00Z,1\n" for number in range(1200) for day in [1])
    result = read(
        f"site_id,reading_date,reading_value\n{rows}7,x,1\n7,2026-03-01T06:00Z,1\n7,2026-03-02T06:00Z,1"
    )

    assert result.reasons.describe() == [
        "1,200 rows of 12 unknown sites: N00, N01, N02, N03, N04, N05, N06, N07, N08, N09, ...",
        "1 row: reading_date is not a date and time like 2026-03-31T06:00",
    ]


def test_numbers_that_a_spreadsheet_has_made_are_summed_up_whatever_they_are(app: Flask) -> None:
    result = import_sites("site_id,site_name\n2.00005E+12,Farm A\n2.00006E+12,Farm B\n")

    assert result.reasons.describe() == [
        "2 rows: site_id is what a spreadsheet has made of a long number: format it as text"
    ]
