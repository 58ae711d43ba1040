"""Importing files: each rejected line with its reason, the counts last, the exit status."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from jobauto.extensions import db
from jobauto.models import Reading, Site
from tests.cli.conftest import Cli, Shell
from tests.fleets import add_site

SITES = "site_id,site_name\nS1,One\nS2,Two\n"
READINGS = "site_id,reading_date,reading_value\n"


def count(table: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_sites_from_a_file_twice(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "sites.csv"
    file.write_text(SITES)
    first, second = cli("import-sites", str(file)), cli("import-sites", str(file))
    assert (first.stdout, first.exit_code) == ("2 new, 0 updated, 0 unchanged, 0 rejected\n", 0)
    assert (second.stdout, second.exit_code) == ("0 new, 0 updated, 2 unchanged, 0 rejected\n", 0)


def test_readings_from_standard_input_with_lines_that_are_rejected(cli: Cli) -> None:
    add_site("S1")
    lines = ["S1,2026-03-01T06:00,100", "S9,2026-03-01T06:00,1", "S1,2026-03-02T06:00,1e3", "S1,x,1", "S1,1"]
    done = cli("import-readings", "-", input=READINGS + "\n".join(lines))
    assert done.exit_code == 1
    *rejected, last = done.stdout.splitlines()
    assert last == "1 new, 0 updated, 0 unchanged, 4 rejected"
    assert rejected == [
        "line 3: unknown site: S9",
        "line 4: reading_value is not a number like 1234.56",
        "line 5: reading_date is not a date and time like 2026-03-31T06:00",
        "line 6: 2 fields, but the header has 3",
    ]
    assert count(Reading) == 1


def test_what_is_to_be_said_beside_the_counts_goes_to_standard_error(cli: Cli) -> None:
    add_site("S1")
    lines = [f"S1,2026-03-0{day}T06:00,1.00{day},x,y" for day in range(1, 5)]
    lines += [f"S{number},2026-03-01T06:00,1,x,y" for number in (7, 8, 7)]
    done = cli("import-readings", "-", input=READINGS.strip() + ",a,b\n" + "\n".join(lines))
    assert done.stderr.splitlines() == [
        "warning: S1: every value has exactly three decimals: MWh, or a dot for thousands?",
        "ignored columns: a, b",
        "3 rows of 2 unknown sites: S7, S8",
        "import 1",
    ]
    assert done.stdout.splitlines()[-1] == "4 new, 0 updated, 0 unchanged, 3 rejected"


def test_a_file_with_a_column_that_refuses_it_is_2_unless_it_is_to_be_ignored(cli: Cli) -> None:
    add_site("S1")
    file = READINGS.strip() + ",Unit,status\nS1,2026-03-01T06:00,1,kWh,A\n"
    for options, refused in [((), "Unit"), (("--ignore-column", "unit"), "status")]:
        done = cli("import-readings", *options, "-", input=file)
        assert (done.exit_code, done.stdout) == (2, "")
        assert f"a column {refused}:" in done.stderr
        assert f"--ignore-column {refused}" in done.stderr
    done = cli("import-readings", "--ignore-column", "unit", "--ignore-column", "status", "-", input=file)
    assert (done.exit_code, done.stderr) == (0, "ignored columns: Unit, status\nimport 1\n")


def test_only_the_first_thousand_rejected_lines_are_named(cli: Cli) -> None:
    done = cli("import-readings", "-", input=READINGS + "S9,2026-03-01T06:00,1\n" * 1203)
    lines = done.stdout.splitlines()
    assert sum(line.startswith("line ") for line in lines) == 1000
    assert lines[-2:] == ["... and 203 more", "0 new, 0 updated, 0 unchanged, 1203 rejected"]


@pytest.mark.parametrize("command", ["import-sites", "import-readings"])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param("", "The file is empty.", id="nothing"),
        pytest.param("\n\n", "The file is empty.", id="blank lines"),
        pytest.param("S1;One\n", "Missing: ", id="no header"),
        pytest.param("id,name\nS1,One\n", "Missing: ", id="other names"),
        pytest.param("\x00\x01\x02", "Missing: ", id="no text at all"),
    ],
)
def test_a_file_without_the_right_header_is_2(
    standing_cli: Cli, command: str, content: str, told: str
) -> None:
    before = count(Site)
    done = standing_cli(command, "-", input=content)
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in done.stderr
    assert count(Site) == before


@pytest.mark.parametrize("arguments", [[], ["no-such-file.csv"], ["."], ["a", "b"]])
def test_a_file_that_cannot_be_opened_is_2(standing_cli: Cli, arguments: list[str]) -> None:
    done = standing_cli("import-sites", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Usage" in done.stderr


@pytest.mark.process
def test_an_operator_pipes_a_file_in(app: Flask, shell: Shell) -> None:
    sites = shell("import-sites", "-", typed="\ufeff" + SITES)
    assert (sites.returncode, sites.stdout) == (0, "2 new, 0 updated, 0 unchanged, 0 rejected\n")
    assert sites.stderr == "", "no progress bar where there is no terminal"
    readings = shell("import-readings", "-", typed=READINGS.encode() + b"S\xff,2026-03-01T06:00,1\n")
    assert readings.returncode == 1
    assert readings.stdout.splitlines()[-1] == "0 new, 0 updated, 0 unchanged, 1 rejected"
    assert readings.stdout.startswith("line 2: ")


def test_what_was_imported_is_undone_by_its_number(cli: Cli) -> None:
    add_site("S1")
    assert cli("import-readings", "-", input=f"{READINGS.strip()}\nS1,2026-03-01T06:00,1\n").exit_code == 0
    assert cli("undo-import", "1").stdout == "1 removed, 0 restored, 0 left\n"
    again = cli("undo-import", "1")
    assert (again.exit_code, again.stderr) == (2, "Error: Import 1 is undone already.\n")
