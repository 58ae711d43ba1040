"""A dry run shows the first rows as they are understood, beside what stands in the file."""

from flask import Flask

from jobauto.imports import background, preview
from jobauto.imports.preview import Understood
from jobauto.settings import service as settings
from tests.fleets import add_site
from tests.imports.test_background import HEADER, accept, entry

DATE = "reading_date is not a date and time like 2026-03-31T06:00"


def understood(content: bytes, kind: str = "readings") -> list[Understood]:
    """What a dry run of a file shows."""
    import_id = accept(content, kind, dry_run=True)
    background.process_pending()
    return [Understood(**row) for row in entry(import_id).preview]


def test_each_row_stands_beside_its_line(app: Flask) -> None:
    assert settings.current().settings.schedule.zone.key == "Europe/London"
    add_site("S1")
    content = (
        b"\n"
        + HEADER.replace(b",", b";")
        + b" S1 ;2026-03-31 06:00;1234.565\r\n\nS1;2026-03-01T06:00:30Z;\xff\n"
        + b"S1;2026-03-01T06:00:30+02:00;0\nx\n"
    )

    assert understood(content) == [
        Understood(
            3,
            " S1 ;2026-03-31 06:00;1234.565",
            "S1",
            "2026-03-31 06:00:00+01:00 Europe/London",
            "2026-03-31 05:00:00",
            "1,234.57",
        ),
        Understood(5, "S1;2026-03-01T06:00:30Z;\ufffd", why="reading_value is not a number like 1234.56"),
        Understood(
            6,
            "S1;2026-03-01T06:00:30+02:00;0",
            "S1",
            "2026-03-01 04:00:30+00:00 Europe/London",
            "2026-03-01 04:00:30",
            "0.00",
        ),
        Understood(7, "x", why="1 fields, but the header has 3"),
    ]


def test_only_the_first_rows_are_shown_and_no_more_of_a_line_than_can_be_read(app: Flask) -> None:
    rows = understood(HEADER + b"S1,%b,1\n" % (b"x" * 1000) * 30)

    assert [row.line for row in rows] == list(range(2, 2 + preview.SHOWN))
    assert {len(row.raw) for row in rows} == {preview.LONGEST}
    assert {row.why for row in rows} == {DATE}


def test_a_file_without_rows_shows_none(app: Flask) -> None:
    assert understood(HEADER) == []


def test_a_list_of_sites_shows_what_each_row_says_of_a_site(app: Flask) -> None:
    lines = ("X,Mill, x", "X,Mill,,false,2026-11-20", "Y,Hill,,,", "2E+12,Farm,North,,", "Z,Dale,,maybe,")
    content = "site_id,site_name,Group,Active,monitored from\n" + "\n".join(lines)

    assert understood(content.encode(), "sites") == [
        Understood(2, lines[0], why="3 fields, but the header has 5"),
        Understood(3, lines[1], "X", site_name="Mill", said="monitored_from 2026-11-20, active false"),
        Understood(4, lines[2], "Y", site_name="Hill"),
        Understood(
            5,
            lines[3],
            why="site_id 2E+12 is what a spreadsheet has made of a long number: format it as text",
        ),
        Understood(6, lines[4], why="active is not true or false"),
    ]
