"""Of what an import neither takes nor rejects it tells how much there was, and why."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from jobauto.imports.profiles.document import Profile
from jobauto.imports.profiles.reader import rows_of
from tests.fleets import add_site
from tests.pages.reading import words
from tests.pages.test_importing import wait
from tests.people import Person, add_cast
from tests.profiles.reading import LONDON, NOW

KEPT: dict[str, Any] = {"keep": [{"column": "Type", "is": ["export"]}]}
TABLE: dict[str, Any] = {
    "file": {"kind": "delimited"},
    "header": {"find": ["Date"]},
    "site": {"constant": "S1"},
    "time": {"columns": ["Date"], "formats": ["iso"], "date_only": "00:00", "minutes": 720},
    "value": {"columns": ["kWh"], "missing": ["-"]},
}
ROWS = "Date,Type,kWh\n2026-11-05,export,1\n2026-11-06,import,2\n2026-11-07,export,-\n2026-11-08,export,\n"
A_DAY: dict[str, Any] = TABLE | {"layout": "wide_times", "value": {}, "measure": "interval"}
NEM12: dict[str, Any] = {
    "file": {"kind": "nem12"},
    "site": {},
    "time": {},
    "value": {},
    "measure": "interval",
}
SUFFIXES = """100,NEM12,202611250000,MDA1,RET1
200,QB1,E1B1,1,B1,N1,M1,kWh,360,
300,20261123,1,,3,4,A,,,20261124000000,
200,QB1,E1B1,2,E1,N1,M1,kWh,360,
300,20261123,1,2,3,4,A,,,20261124000000,
900
"""
BY_SUFFIX = {"keep": [{"column": "NMISuffix", "is": ["B1"]}]}


@pytest.mark.parametrize(
    ("document", "content", "left_out"),
    [
        (TABLE | KEPT, ROWS, "1 row by the profile's conditions, 2 rows without a value"),
        (TABLE | KEPT, ROWS.partition("2026-11-06")[0], ""),
        (A_DAY, "Date,12:00,24:00\n2026-11-05,1,\n2026-11-06,1,2\n", "1 cell without a value"),
        (A_DAY, "Date,P1,P2,P3\n2026-11-05,1,2,\n", ""),
        (NEM12 | BY_SUFFIX, SUFFIXES, "4 readings by the profile's conditions, 1 reading without a value"),
    ],
    ids=["rows", "nothing", "a row a day", "columns of longer days", "intervals of another suffix"],
)
def test_what_is_left_out_is_counted_by_its_reason(
    document: dict[str, Any], content: str, left_out: str
) -> None:
    with rows_of(BytesIO(content.encode()), Profile.parsed(document), None, LONDON, NOW) as rows:
        list(rows.blocks(2))

    assert rows.left_out is not None
    assert rows.left_out.describe() == (left_out and f"Left out: {left_out}.")


def test_the_page_and_the_command_tell_of_it(app: Flask, tmp_path: Path) -> None:
    add_cast()
    add_site("S1")
    oscar = Person(app, "oscar")
    oscar.post("/profiles/new", name="feed", document=json.dumps(TABLE | KEPT))

    oscar.post("/import/", kind="readings", profile="feed", file=(BytesIO(ROWS.encode()), "a.csv"))
    wait()
    (tmp_path / "a.csv").write_text(ROWS)
    told = app.test_cli_runner().invoke(
        args=["import-readings", "--profile", "feed", str(tmp_path / "a.csv")]
    )

    left_out = "Left out: 1 row by the profile's conditions, 2 rows without a value."
    assert f"Imported {left_out} All else was taken." in words(oscar.get("/import/1"))
    assert left_out in told.stderr
    assert told.stdout == "0 new, 0 updated, 1 unchanged, 0 rejected\n"
