"""What times mean: formats, zones, labels, dates alone."""

from typing import Any

import pytest

from tests.profiles.reading import read

TIMES = [
    # format, text, instant in UTC; None where it is refused
    ("%d/%m/%Y %H:%M", "05/11/2026 09:30", "2026-11-05T09:30:00Z"),
    ("%m/%d/%Y %H:%M", "05/11/2026 09:30", "2026-05-11T08:30:00Z"),
    ("%d/%m/%Y %H:%M", "5/11/2026 9:30", "2026-11-05T09:30:00Z"),
    ("%d/%m/%Y %H:%M", "05/11/2026 24:00", "2026-11-06T00:00:00Z"),
    ("%d/%m/%Y %H:%M", "31/12/2025 24:00", "2026-01-01T00:00:00Z"),
    ("%d/%m/%Y %H:%M", "05/11/2026 24:01", None),
    ("%d/%m/%Y %H:%M", "05/11/2026 25:00", None),
    ("%d/%m/%Y %H:%M", "31/11/2026 09:30", None),
    ("%d/%m/%Y %H:%M", "05/11/2026 09:60", None),
    ("%d/%m/%Y %H:%M", "05/11/2026", None),
    ("%d/%m/%Y %H:%M", "05/11/2026 09:30:00", None),
    ("%d/%m/%Y %H:%M", "05/11/26 09:30", None),
    ("%d/%m/%Y %H:%M", "05-11-2026 09:30", None),
    ("%d/%m/%y %H:%M", "24/11/26 09:30", "2026-11-24T09:30:00Z"),
    ("%d/%m/%y %H:%M", "24/11/69 09:30", "1969-11-24T08:30:00Z"),
    ("%Y%m%d%H%M%S", "20261124240000", "2026-11-25T00:00:00Z"),
    ("%Y-%m-%d %H:%M:%S.%f", "2026-11-24 06:00:00.123456789", "2026-11-24T06:00:00.123456Z"),
    ("%Y-%m-%d %H:%M:%S.%f", "2026-11-24 06:00:00.5", "2026-11-24T06:00:00.500000Z"),
    ("%Y-%m-%d %H:%M:%S.%f", "2026-11-24 06:00:00.1234567890", None),
    ("%Y-%m-%d %H:%M:%S.%f %z", "2026-11-24 06:00:00.0000000 +01:00", "2026-11-24T05:00:00Z"),
    ("%Y-%m-%dT%H:%M%z", "2026-11-24T06:00Z", "2026-11-24T06:00:00Z"),
    ("%Y-%m-%dT%H:%M%z", "2026-11-24T06:00+0530", "2026-11-24T00:30:00Z"),
    ("%Y-%m-%dT%H:%M%z", "2026-11-24T06:00+15:00", None),
    ("%d %b %Y %H:%M", "05 Nov 2026 09:30", "2026-11-05T09:30:00Z"),
    ("%d-%b-%y %H:%M", "05-NOV-26 09:30", "2026-11-05T09:30:00Z"),
    ("%d %B %Y %H:%M", "05 November 2026 09:30", "2026-11-05T09:30:00Z"),
    ("%A %d %B %Y %H:%M", "Thursday 05 November 2026 09:30", "2026-11-05T09:30:00Z"),
    ("%d %b %Y %H:%M", "05 Mai 2026 09:30", None),
    ("%m/%d/%Y %I:%M %p", "11/05/2026 12:30 AM", "2026-11-05T00:30:00Z"),
    ("%m/%d/%Y %I:%M %p", "11/05/2026 12:30 pm", "2026-11-05T12:30:00Z"),
    ("%m/%d/%Y %I:%M %p", "11/05/2026 13:30 PM", None),
    ("%Y.%j %H:%M", "2026.309 09:30", "2026-11-05T09:30:00Z"),
    ("%Y.%j %H:%M", "2026.366 09:30", None),
    ("%Y-%m-%d  %H:%M", "2026-11-05 09:30", "2026-11-05T09:30:00Z"),
    ("100%% %d/%m/%Y %H:%M", "100% 05/11/2026 09:30", "2026-11-05T09:30:00Z"),
    ("iso", "2026-11-05T09:30", "2026-11-05T09:30:00Z"),
    ("iso", "2026-06-05 09:30:15.25", "2026-06-05T08:30:15.250000Z"),
    ("iso", "2026-11-05T09:30:00-05:00", "2026-11-05T14:30:00Z"),
    ("iso", "2026-11-05T24:00", "2026-11-06T00:00:00Z"),
    ("iso", "05/11/2026 09:30", None),
    ("iso", "2026-11-05", None),
    ("unix", "1795478400", "2026-11-24T00:00:00Z"),
    ("unix", "1795478400.5", "2026-11-24T00:00:00.500000Z"),
    ("unix", "1795478400000", None),
    ("unix", "1.7954784E9", None),
    ("iso", "", None),
    ("iso", "1899-12-31T00:00Z", None),
]  # fmt: skip


def profile(**time: Any) -> dict[str, Any]:
    return {
        "file": {"kind": "delimited", "delimiter": ";"},
        "header": {"names": ["Date", "Time", "Zone", "kWh"]},
        "site": {"constant": "S1"},
        "time": {"columns": ["Date"], "formats": ["iso"]} | time,
        "value": {"columns": ["kWh"]},
    }


def instant(document: dict[str, Any], line: str) -> str | None:
    """The instant of a line; None where the line is refused for its time."""
    readings, rejected = read(document, line)
    if rejected:
        assert not readings
        assert rejected[0].reason.startswith("reading_date "), rejected
        return None
    ((_, at, _),) = readings
    return at


@pytest.mark.parametrize(("written", "text", "at"), TIMES)
def test_a_time_is_read_as_its_format_says(written: str, text: str, at: str | None) -> None:
    assert instant(profile(formats=[written]), f"{text};;;1") == at


def test_formats_are_tried_in_their_order() -> None:
    formats = ["%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"]

    assert instant(profile(formats=formats), "05/11/2026 06:00;;;1") == "2026-11-05T06:00:00Z"
    assert instant(profile(formats=formats), "11/25/2026 06:00;;;1") == "2026-11-25T06:00:00Z"


@pytest.mark.parametrize(
    ("time", "line", "at"),
    [
        ({"columns": ["Date", "Time"], "formats": ["%d/%m/%Y %H:%M"]}, "05/11/2026;09:30;;1",
         "2026-11-05T09:30:00Z"),
        ({"columns": [2, 1], "formats": ["%H:%M %d/%m/%Y"]}, "05/11/2026;09:30;;1", "2026-11-05T09:30:00Z"),
        ({"columns": ["Date", "Time"], "formats": ["%d/%m/%Y %H:%M"]}, "05/11/2026;;;1", None),
        ({"columns": ["Date", "Time"], "formats": ["%d/%m/%Y"], "date_only": "06:00"}, "05/11/2026;;;1",
         "2026-11-05T06:00:00Z"),
        ({"formats": ["%d/%m/%Y"]}, "05/11/2026;;;1", None),
        ({"formats": ["%d/%m/%Y"], "date_only": "24:00"}, "05/11/2026;;;1", "2026-11-06T00:00:00Z"),
        ({"date_only": "00:00"}, "2026-06-05;;;1", "2026-06-04T23:00:00Z"),
        ({"date_only": "00:00"}, "2026-06-05T10:00;;;1", "2026-06-05T09:00:00Z"),
        ({"zone": "Europe/Amsterdam"}, "2026-06-05T10:00;;;1", "2026-06-05T08:00:00Z"),
        ({"zone": "Europe/Amsterdam"}, "2026-06-05T10:00Z;;;1", "2026-06-05T10:00:00Z"),
        ({"zone": "Europe/Amsterdam"}, "2026-03-29T02:30;;;1", None),
        ({"zone": "Europe/Amsterdam"}, "2026-10-25T02:30;;;1", None),
        ({"zone": "UTC"}, "2026-10-25T02:30;;;1", "2026-10-25T02:30:00Z"),
        ({"zone_column": "Zone"}, "2026-10-25T01:30;;+01:00;1", "2026-10-25T00:30:00Z"),
        ({"zone_column": "Zone"}, "2026-11-05T10:00;;+0530;1", "2026-11-05T04:30:00Z"),
        ({"zone_column": "Zone"}, "2026-11-05T10:00;;UTC+1;1", "2026-11-05T09:00:00Z"),
        ({"zone_column": "Zone"}, "2026-11-05T10:00;;(GMT-03:30) St. John's;1", "2026-11-05T13:30:00Z"),
        ({"zone_column": "Zone"}, "2026-11-05T10:00;;UTC;1", "2026-11-05T10:00:00Z"),
        ({"zone_column": "Zone"}, "2026-11-05T10:00;;BST;1", None),
        ({"zone_column": "Zone"}, "2026-11-05T10:00;;;1", None),
        ({"zone_column": "Zone"}, "2026-11-05T10:00;;+24:00;1", None),
        ({"label": "start", "minutes": 30}, "2026-11-05T23:30;;;1", "2026-11-06T00:00:00Z"),
        ({"label": "start", "minutes": 30}, "2026-10-25T00:30;;;1", "2026-10-25T00:00:00Z"),
        ({"label": "start", "minutes": 60}, "2026-03-29T00:30;;;1", "2026-03-29T01:30:00Z"),
        ({"label": "start", "minutes": 1440, "date_only": "00:00"}, "2026-10-25;;;1", "2026-10-26T00:00:00Z"),
        ({"label": "start", "minutes": 1440, "date_only": "00:00"}, "2026-03-29;;;1", "2026-03-29T23:00:00Z"),
        ({"label": "start", "minutes": 1440, "date_only": "06:00"}, "2026-11-05;;;1", "2026-11-06T00:00:00Z"),
        ({"label": "start", "minutes": 1440}, "2026-06-05T23:30Z;;;1", "2026-06-06T23:00:00Z"),
        ({"label": "end", "minutes": 30}, "2026-11-05T23:30;;;1", "2026-11-05T23:30:00Z"),
    ],
)  # fmt: skip
def test_a_time_means_what_the_profile_says(time: dict[str, Any], line: str, at: str | None) -> None:
    assert instant(profile(**time), line) == at
