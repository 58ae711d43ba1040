"""Wide files: a row a day with columns of intervals, and a column a site."""

from typing import Any

import pytest

from jobauto.imports.lines import FileError
from tests.profiles.reading import Reading, read


def profile(layout: str, **parts: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "file": {"kind": "delimited"},
        "header": {"find": ["Date"]},
        "site": {"column": "Site"},
        "time": {"columns": ["Date"], "formats": ["%d/%m/%Y"], "minutes": 360},
        "value": {},
        "layout": layout,
        "measure": "interval",
    }
    if layout == "wide_sites":
        document |= {"site": {}, "time": {"columns": ["Date"], "formats": ["iso"]}}
    return {
        name: document.get(name, {}) | part if isinstance(part, dict) and name != "header" else part
        for name, part in (document | parts).items()
    }


def ends(readings: list[Reading]) -> list[str]:
    return [f"{at[8:16]} {float(kwh):g}" for _, at, kwh in readings]


ORDINARY = ["05T06:00 1", "05T12:00 2", "05T18:00 3", "06T00:00 4"]
NAMES = "06:00,12:00,18:00,00:00"
LONG = "09T23:00 1"


@pytest.mark.parametrize(
    ("parts", "names", "row", "found", "reason"),
    [
        ({}, NAMES, "S1,05/11/2026,1,2,3,4", ORDINARY, ""),
        ({}, "00:00,06:00,12:00,18:00", "S1,05/11/2026,1,2,3,4", ORDINARY, ""),
        ({"time": {"label": "start"}}, "00:00,6:00,12:00,18:00", "S1,05/11/2026,1,2,3,4", ORDINARY, ""),
        ({}, "06:00,12:00,18:00,24:00", "S1,05/11/2026,1,2,3,4", ORDINARY, ""),
        ({}, "00:00 - 06:00,06:00 - 12:00,12:00-18:00,18:00-00:00", "S1,05/11/2026,1,2,3,4", ORDINARY, ""),
        ({}, NAMES, "S1,05/11/2026,1,,3,", ["05T06:00 1", "05T18:00 3"], ""),
        ({}, NAMES, "S1,05/11/2026,,,,", [], ""),
        ({}, NAMES, "S1,31/11/2026,,,,", [], ""),
        ({}, NAMES, "S1,31/11/2026,1,,,", [], "not written as the profile says"),
        ({}, NAMES, "S1,29/03/2026,1,2,3,4", [], "a day of 3 intervals, but the row has 4 columns"),
        ({"time": {"zone": "UTC"}}, NAMES, "S1,29/03/2026,1,2,3,4",
         ["29T06:00 1", "29T12:00 2", "29T18:00 3", "30T00:00 4"], ""),
        ({}, NAMES, "S1,29/03/2026,,,,", [], ""),
        ({"time": {"minutes": 60}}, NAMES, "S1,05/11/2026,1,2,3,4", [], "24 intervals"),
        ({}, "P1,P2,P3,P4,P5", "S1,05/11/2026,1,2,3,4,", ORDINARY, ""),
        ({}, "P2,P1,P3,P4", "S1,05/11/2026,2,1,3,4", ["05T12:00 2", "05T06:00 1", *ORDINARY[2:]], ""),
        ({}, "P1,P2,P3,P4", "S1,05/11/2026,1,2,,4", [], "4 intervals, but the row has 3 filled columns"),
        ({}, "P1,P2,P3,P4,P5", "S1,05/11/2026,1,2,3,4,5", [], "5 filled columns"),
        ({}, "P1,P2,P3,P4,P5", "S1,05/11/2026,,2,3,4,5", [], "4 intervals"),
        ({}, "P1,P2,P3,P4,P5", "S1,05/11/2026,,,,,", [], ""),
        ({"value": {"columns": ["a", "b", "c", "d"]}}, "a,b,c,d,00:00", "S1,05/11/2026,1,2,3,4,9", ORDINARY,
         ""),
        ({"value": {"columns": [4, 3, 5, 6]}}, "a,b,c,d", "S1,05/11/2026,2,1,3,4", ORDINARY, ""),
        ({"value": {"unit": "kW"}}, NAMES, "S1,05/11/2026,1,2,3,4",
         ["05T06:00 6", "05T12:00 12", "05T18:00 18", "06T00:00 24"], ""),
        ({"time": {"formats": ["iso"]}}, NAMES, "S1,2026-11-05T00:00:00,1,2,3,4", ORDINARY, ""),
        ({"time": {"formats": ["iso"]}}, NAMES, "S1,2026-11-05T00:00Z,1,2,3,4", ORDINARY, ""),
        ({"time": {"formats": ["iso"]}}, NAMES, "S1,2026-11-05T01:00,1,2,3,4", [], "a time of day"),
        ({"time": {"zone_column": "Zone"}}, f"Zone,{NAMES}", "S1,05/11/2026,+24:00,1,2,3,4", [],
         "an offset that no clock has"),
        ({}, NAMES, "S1,05/11/2026,1,x,3,4", ["05T06:00 1", "05T18:00 3", "06T00:00 4"], "not a number"),
    ],
)  # fmt: skip
def test_a_row_is_a_day_of_intervals_each_stamped_at_its_end(
    parts: dict[str, Any], names: str, row: str, found: list[str], reason: str
) -> None:
    parts = {"value": {}} | parts
    parts["value"] = parts["value"] | {"exponent": True}

    readings, rejected = read(profile("wide_times", **parts), f"Site,Date,{names}\n{row}\n")

    assert ends(readings) == found
    assert len(rejected) == bool(reason)
    assert not reason or (reason in rejected[0].reason and rejected[0].line == 2)


def test_half_hours_of_days_on_which_the_clocks_change() -> None:
    head = ",".join(["Site", "Date", *(f"P{number}" for number in range(1, 51))])
    days = {"29/03/2026": 46, "05/11/2026": 48, "25/10/2026": 50}
    rows = [
        ",".join(["S1", day, *map(str, range(1, count + 1)), *[""] * (50 - count)])
        for day, count in days.items()
    ]

    readings, rejected = read(profile("wide_times", time={"minutes": 30}), "\n".join([head, *rows]))

    assert rejected == []
    assert len(readings) == 46 + 48 + 50
    last = [at for _, at, kwh in readings if kwh in ("46", "48", "50")]
    assert last == [
        "2026-03-29T23:00:00Z",
        "2026-11-05T23:00:00Z",
        "2026-11-06T00:00:00Z",
        "2026-10-25T22:00:00Z",
        "2026-10-25T23:00:00Z",
        "2026-10-26T00:00:00Z",
    ]


def test_a_row_a_day_needs_columns_of_intervals() -> None:
    with pytest.raises(FileError, match="no columns whose names are times"):
        read(profile("wide_times"), "Site,Date,kWh\nS1,05/11/2026,1\n")


@pytest.mark.parametrize(
    ("parts", "content", "found", "lines"),
    [
        ({}, "Date,S1,S2\n2026-11-05T06:00,1,2\n", ["S1 1", "S2 2"], []),
        ({}, "S1,Date,S2\n1,2026-11-05T06:00,2\n", ["S1 1", "S2 2"], []),
        ({}, "Date,S1,S2\n2026-11-05T06:00,1,\n", ["S1 1"], []),
        ({}, "Date,S1,S2\n2026-10-25T01:30,1,2\n2026-11-05T06:00,3,4\n", ["S1 3", "S2 4"], [2]),
        ({}, "Date,S1,S2\nx,,\n", [], []),
        ({}, "Date,S1,,S2\n2026-11-05T06:00,1,9,2\n", ["S1 1", "S2 2"], []),
        ({"value": {"columns": ["S2"]}}, "Date,S1,S2\n2026-11-05T06:00,1,2\n", ["S2 2"], []),
        ({"site": {"aliases": {"S1 (kWh)": "A"}, "strip": "*"}}, "Date,S1 (kWh),*S2*\n2026-11-05T06:00,1,2\n",
         ["A 1", "S2 2"], []),
        ({"keep": [{"column": "ok", "is": ["y"]}]},
         "Date,ok,S1\n2026-11-05T06:00,y,1\n2026-11-05T07:00,n,2\n",
         ["S1 1"], []),
        ({"time": {"columns": ["Date", "Time"]}}, "Date,Time,S1\n2026-11-05,06:00,1\n", ["S1 1"], []),
    ],
)  # fmt: skip
def test_a_column_is_a_site(parts: dict[str, Any], content: str, found: list[str], lines: list[int]) -> None:
    readings, rejected = read(profile("wide_sites", **parts), content)

    assert [f"{site} {kwh}" for site, _, kwh in readings] == found
    assert [row.line for row in rejected] == lines
