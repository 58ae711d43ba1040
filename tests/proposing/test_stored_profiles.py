"""Which of the stored profiles reads a file."""

from io import BytesIO

import pytest

from jobauto.imports.profiles.document import Profile
from jobauto.imports.proposing.feeds import profile_of
from jobauto.imports.proposing.sample import sample_of
from tests.profiles.reading import LONDON, NOW

LINES = b"Meter,Day,Value,Unit\n" + b"".join(
    b"A,2026-11-%02dT06:00Z,%d,kWh\n" % (day, day) for day in range(1, 9)
)


def finding(*cells: str) -> Profile:
    return Profile.parsed(
        {
            "file": {"kind": "delimited"},
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
