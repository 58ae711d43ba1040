"""What an import of sites counts and stores; a column that a file lacks changes nothing."""

import random
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import text

from jobauto.extensions import db
from jobauto.imports import sites, staging
from jobauto.imports.rows import Rejected
from tests.fleets import NOON, add_site
from tests.imports.importing import Counts, counts, import_sites, stored_sites

ALL = "site_id,site_name,monitored_from,active,group"


def test_a_short_file_makes_active_sites_monitored_since_long_ago(app: Flask) -> None:
    assert counts(import_sites("site_id,site_name", "S1,Mill Lane")) == (1, 0, 0, 0)
    assert stored_sites() == {"S1": ("Mill Lane", None, True, "")}


@pytest.mark.parametrize(
    ("header", "line", "expected"),
    [
        pytest.param(
            "site_id,site_name", "S1,New", ("New", "2026-01-01", False, "north"), id="only the name is said"
        ),
        pytest.param(
            "group,site_name,site_id", "south,Old,S1", ("Old", "2026-01-01", False, "south"), id="group"
        ),
        pytest.param(ALL, "S1,New,,,", ("New", "2026-01-01", False, "north"), id="blank cells"),
        pytest.param(ALL, "S1,Old, ,\t,east", ("Old", "2026-01-01", False, "east"), id="spaces"),
        pytest.param(
            "site_id,site_name,active", "S1,Old,yes", ("Old", "2026-01-01", True, "north"), id="active"
        ),
        pytest.param(ALL, "S1,Old,2026-02-02,no,north", ("Old", "2026-02-02", False, "north"), id="a date"),
    ],
)
def test_what_is_said_changes_and_what_is_not_said_stays(
    app: Flask, header: str, line: str, expected: tuple[str, str | None, bool, str]
) -> None:
    import_sites(ALL, "S1,Old,2026-01-01,false,north")

    assert counts(import_sites(header, line)) == (0, 1, 0, 0)
    assert stored_sites() == {"S1": expected}
    assert counts(import_sites(header, line)) == (0, 0, 1, 0)


@pytest.mark.parametrize(
    ("lines", "expected", "stored"),
    [
        pytest.param(["S1,a,,,", "S1,a,,,"], (1, 0, 1, 0), {"S1"}, id="equal"),
        pytest.param(["S1,a,,yes,", "S1,a,,true,"], (1, 0, 1, 0), {"S1"}, id="equal in other words"),
        pytest.param(["S1,a,,,", "S1,b,,,"], (0, 0, 0, 2), set(), id="names"),
        pytest.param(["S1,a,,,", "S2,b,,,", "S1,a,,,", "S1,c,,,"], (1, 0, 0, 3), {"S2"}, id="the third"),
        pytest.param(["S1,a,,,", "S1,c,,,", "S1,a,,,"], (0, 0, 0, 3), set(), id="the second"),
        pytest.param(["S1,a,,,north", "S1,a,,,south"], (0, 0, 0, 2), set(), id="groups"),
        pytest.param(["S1,a,,yes,", "S1,a,,no,"], (0, 0, 0, 2), set(), id="active"),
        pytest.param(["S1,a,2026-01-01,,", "S1,a,2026-01-02,,"], (0, 0, 0, 2), set(), id="dates"),
        pytest.param(["S1,a,,,north", "S1,,,,"], (1, 0, 0, 1), {"S1"}, id="a bad one contradicts nothing"),
    ],
)
def test_rows_of_a_site_that_contradict_each_other_are_all_refused(
    app: Flask, lines: list[str], expected: tuple[int, ...], stored: set[str]
) -> None:
    assert counts(import_sites(ALL, *lines)) == expected
    assert set(stored_sites()) == stored


def test_a_dry_run_says_what_is_refused_and_takes_no_turn(app: Flask) -> None:
    add_site("S1", {NOON: 1})
    source = sites.from_csv(BytesIO(b"site_id,site_name,measure\nS1,S1,interval\n"))

    assert counts(sites.import_sites(source, dry_run=True)) == (0, 0, 0, 1)
    assert db.session.execute(text("SELECT * FROM reading_turn")).all() == []


def test_the_lines_of_contradicting_rows_are_named(app: Flask) -> None:
    result = import_sites(ALL, "S1,a,,,", "S2,b,,,", "S1,c,,,")

    assert result.errors == [
        (line, "lines 2 and 4 give different values for the same site") for line in (2, 4)
    ]


def test_rows_of_a_site_say_together_what_each_of_them_says(app: Flask) -> None:
    assert counts(import_sites(ALL, "S1,a,,,north", "S1,a,2026-01-01,no,")) == (1, 0, 1, 0)
    assert stored_sites() == {"S1": ("a", "2026-01-01", False, "north")}


def told_and_stored(
    site: str, before: list[str], lines: list[str]
) -> tuple[Counts, Counts, list[Rejected], dict[str, tuple[str, str | None, bool, str]]]:
    """What a dry run counts; what the import does, says and has stored of sites whose ids begin so."""
    former, sent = ([line.replace("S", site) for line in some] for some in (before, lines))
    import_sites(ALL, *former)
    file = BytesIO("\n".join([ALL, *sent]).encode())
    told: list[Rejected] = []
    looked_at = sites.import_sites(
        sites.from_csv(file), dry_run=True, progress=lambda _, bad: told.extend(bad)
    )
    result = import_sites(ALL, *sent)
    assert sorted(result.errors) == sorted(looked_at.errors) == sorted(told)
    found = {key.replace(site, "S"): row for key, row in stored_sites().items() if key.startswith(site)}
    return counts(looked_at), counts(result), sorted(result.errors), found


@pytest.mark.parametrize("seed", range(8))
def test_a_list_of_many_batches_ends_as_one_of_a_single_batch_and_its_dry_run_says_so(
    app: Flask, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 (the same each time)

    def some(count: int) -> list[str]:
        return [
            f"S{chance.randint(1, 6)},{chance.choice(['a', 'a', 'a', 'b', ''])},"
            f"{chance.choice(['', '', '2026-01-01'])},{chance.choice(['', 'yes', 'yes', 'no'])},"
            f"{chance.choice(['', '', '', 'north'])}"
            for _ in range(count)
        ]

    before, lines = some(3), some(11)
    at_once = told_and_stored("A", before, lines)
    monkeypatch.setattr(staging, "BATCH", chance.choice([1, 2, 3]))
    assert told_and_stored("B", before, lines) == at_once
    assert at_once[0] == at_once[1]


def test_rows_far_apart_that_contradict_each_other_are_all_refused_and_what_stood_stays(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_sites(ALL, "S1,was,,,")
    monkeypatch.setattr(staging, "BATCH", 2)
    result = import_sites(
        ALL, "S1,a,,,", "S2,b,,,", "S3,c,,,north", "S2,b,,no,", "S3,c,,,", "S1,z,,,", "S4,,,,"
    )

    assert counts(result) == (2, 0, 2, 3)
    why = "lines 2 and 7 give different values for the same site"
    assert dict(result.errors) == {2: why, 7: why, 8: "site_name is empty"}
    assert stored_sites() == {
        "S1": ("was", None, True, ""),
        "S2": ("b", None, False, ""),
        "S3": ("c", None, True, "north"),
    }


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_of_a_site_with_more_rows_than_fit_into_memory_none_is_taken(
    app: Flask, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(staging, "BATCH", size)
    monkeypatch.setattr(staging, "MOST_OF_A_SITE", 3)
    result = import_sites(ALL, "A,a,,,", *["B,b,,,"] * 4, *["C,c,,,"] * 3, "B,b,,,", "D,d,,,")

    assert counts(result) == (3, 0, 2, 5)
    assert dict(result.errors) == dict.fromkeys((3, 4, 5, 6, 10), "site_id stands in more than 3 rows")
    assert set(stored_sites()) == {"A", "C", "D"}


KEPT = {
    "S1": "Mill Lane",
    "s1": "another, by its case",
    "a/b//c": "slashes",
    "../etc/passwd": "a path",
    "%2F?#&": "an address",
    "'; DROP TABLE site; --": "Robert'); DROP TABLE site;--",
    "{site_id}": "{0} {site_name.__class__} }{",
    "%s": "100% of %(x)s",
    "<b>": "<script>alert(1)</script>",
    "\\N": "\\N",  # COPY's word for null
    "\\.": "\\. back\\slash \\t",
    "é東☀": "Café 東京 ☀️ مرحبا",
    "x" * 50: "n" * 200,
    "=1+1": "-2+3",
    "null": "NULL",
    "...": "three dots",
    "21E00777": "a serial number",
    "1.2E+1": "one digit",
    "12.5E+12": "two digits before the point",
    "1.2e+12": "no spreadsheet writes it so",
    "a b": "two  spaces",
}


def test_hostile_names_are_kept_as_they_are(app: Flask) -> None:
    def quoted(field: str) -> str:
        return '"' + field.replace('"', '""') + '"'

    lines = [f"{quoted(site_id)},{quoted(name)}" for site_id, name in KEPT.items()]

    assert counts(import_sites("site_id,site_name", *lines)) == (len(KEPT), 0, 0, 0)
    assert {site_id: values[0] for site_id, values in stored_sites().items()} == KEPT
    assert counts(import_sites("site_id,site_name", *lines)) == (0, 0, len(KEPT), 0)


REFUSED = {
    ",Mill Lane": "site_id is empty",
    "   ,Mill Lane": "site_id is empty",
    "S1,": "site_name is empty",
    "S1,   ": "site_name is empty",
    ".,Mill Lane": "site_id is ., which no address can hold",
    " .. ,Mill Lane": "site_id is .., which no address can hold",
    "1.2E+12,Mill Lane": "site_id 1.2E+12 is what a spreadsheet has made of a long number: format it as text",
    "2E+05,Mill Lane": "site_id 2E+05 is what a spreadsheet has made of a long number: format it as text",
    f"{'x' * 51},Mill Lane": "site_id has more than 50 characters",
    f"S1,{'n' * 201}": "site_name has more than 200 characters",
    "S\x001,Mill Lane": "site_id has a character that cannot be printed, or is not UTF-8",
    "S1,Mill\x00Lane": "site_name has a control character, or is not UTF-8",
    "S1,Mill\x1bLane": "site_name has a control character, or is not UTF-8",
    "S1,Mill\x85Lane": "site_name has a control character, or is not UTF-8",
    "S\u200b1,Mill Lane": "site_id has a character that cannot be printed, or is not UTF-8",
    "S1,Mill,Lane": "3 fields, but the header has 2",
    "S1": "1 fields, but the header has 2",
    "site_id,site_name": "the header again",
}


def test_bad_sites_are_refused_each_with_its_reason_and_the_good_are_kept(app: Flask) -> None:
    result = import_sites("site_id,site_name", *REFUSED, "S2,Quay 4")

    assert dict(result.errors) == dict(enumerate(REFUSED.values(), start=2))
    assert list(stored_sites()) == ["S2"]


NO_WORD = "active is not true or false"
ACTIVE: dict[str, object] = {
    **dict.fromkeys(["true", "True", "TRUE", "1", "yes", "YES", ""], True),
    **dict.fromkeys(["false", "FALSE", "0", "no", "No"], False),
    **dict.fromkeys(["on", "off", "y", "n", "2", "-1", "null", "active", "ja"], NO_WORD),
}
NO_DATE = "monitored_from is not a date like 2026-03-31"
NO_DATES = """2025-02-29 2026-13-01 0000-01-01 31/03/2026 31.03.2026 20260331 2026-W14-2 2026-3-1
2026-03-31T00:00 46112 null ２０２６-03-31 today"""
MONITORED_FROM: dict[str, object] = {
    "": None,
    "2026-03-31": "2026-03-31",
    "2024-02-29": "2024-02-29",
    "9999-12-31": "9999-12-31",
    **dict.fromkeys(NO_DATES.split(), NO_DATE),
}
GROUP: dict[str, object] = {
    "": "",
    "north": "north",
    "g" * 100: "g" * 100,
    "g" * 101: "group has more than 100 characters",
    "no\x07rth": "group has a control character, or is not UTF-8",
}


@pytest.mark.parametrize(
    ("column", "place", "table"),
    [
        pytest.param("monitored_from", 1, MONITORED_FROM, id="monitored_from"),
        pytest.param("active", 2, ACTIVE, id="active"),
        pytest.param("group", 3, GROUP, id="group"),
    ],
)
def test_words_of_the_optional_columns(app: Flask, column: str, place: int, table: dict[str, object]) -> None:
    lines = [f"S{number},x,{word}" for number, word in enumerate(table, start=2)]
    result = import_sites(f"site_id,site_name,{column}", *lines)

    told = {f"S{line}": reason for line, reason in result.errors} | {
        site_id: values[place] for site_id, values in stored_sites().items()
    }
    assert {word: told[f"S{number}"] for number, word in enumerate(table, start=2)} == table
