"""Which of the stored profiles reads a file."""

from io import BytesIO
from time import process_time

import pytest

from jobauto.imports.profiles.document import Profile
from jobauto.imports.proposing.feeds import profile_of
from jobauto.imports.proposing.sample import sample_of
from tests.profiles.reading import LONDON, NOW
from tests.profiles.workbooks import MAIN, packed

LINES = b"Meter,Day,Value,Unit\n" + b"".join(
    b"A,2026-11-%02dT06:00Z,%d,kWh\n" % (day, day) for day in range(1, 9)
)


def finding(*cells: str, kind: str = "delimited") -> Profile:
    return Profile.parsed(
        {
            "file": {"kind": kind},
            "header": {"find": [*cells]},
            "site": {"column": "Meter"},
            "time": {"columns": ["Day"], "formats": ["iso"]},
            "value": {"columns": ["Value"]},
        }
    )


@pytest.mark.parametrize(
    ("profiles", "found"),
    [
        ({"a": finding("Meter", "Unit"), "b": finding("Meter")}, "a"),
        ({"a": finding("Meter"), "b": finding("Meter", "Unit")}, "b"),
        ({"a": finding("Meter"), "b": finding("Meter", "MPAN")}, "a"),
        ({"b": finding("MPAN")}, None),
    ],
)
def test_it_is_the_one_that_looks_for_the_most_cells(profiles: dict[str, Profile], found: str | None) -> None:
    assert profile_of(sample_of(BytesIO(LINES), "a.csv"), profiles.items(), LONDON, NOW) == found


def test_a_workbook_is_read_once_however_many_profiles_are_tried_on_it() -> None:
    """It is small, but has so many cells that to read it takes a second."""
    header = "".join(f'<c t="str"><v>{name}</v></c>' for name in ("Meter", "Day", "Value"))
    rows = f"<row>{header}</row>" + f"<row>{'<c><v>1</v></c>' * 1000}</row>" * 300
    content = packed({"Data": f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'})

    def seconds(times: int) -> float:
        profiles = [("feed", finding("Meter", kind="excel"))] * times
        began = process_time()
        profile_of(sample_of(BytesIO(content), "a.xlsx"), profiles, LONDON, NOW)
        return process_time() - began

    assert seconds(20) < 3 * seconds(1)
