"""Files as operators have them come out exactly as they must be stored."""

import csv
import json
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from tests.profiles.reading import read

FILES = Path(__file__).parent / "files"
PROFILES = json.loads((FILES / "profiles.json").read_text())
DECIMALS = {"register": Decimal("0.01"), "interval": Decimal("0.001")}
REFUSED = {"20_grafana_wide.csv": [3]}
"""The lines that are refused: a local time that happens twice."""


def expected(name: str) -> list[tuple[str, str, str]]:
    with (FILES / "expected.csv").open() as file:
        return [tuple(row[1:4]) for row in csv.reader(file) if row[0] == name]  # type: ignore[misc]


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("size", [1, 1000])
def test_a_given_file_is_read_exactly_as_it_must_be_stored(name: str, size: int) -> None:
    profile = PROFILES[name]

    readings, rejected = read(profile, (FILES / name).read_bytes(), name, size)

    step = DECIMALS[profile.get("measure", "register")]
    stored = [(site, at, str(Decimal(value).quantize(step, ROUND_HALF_UP))) for site, at, value in readings]
    assert sorted(stored) == sorted(expected(name))
    assert [row.line for row in rejected] == REFUSED.get(name, [])
