"""A file of hostile lines: each is kept as it was meant, or refused with its number and a reason."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from itertools import cycle
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from jobauto import create_app
from jobauto.extensions import db
from jobauto.imports import readings, rows
from jobauto.models import Reading, Site
from tests.databases import POSTGRESQL, SQLITE
from tests.fleets import add_site
from tests.imports.hostile_lines import HEADER, KEPT, NOW, REFUSED, SITES


@dataclass(frozen=True)
class Outcome:
    """What the import of all lines did."""

    counts: tuple[int, int, int, int]
    reasons: dict[int, str]
    stored: dict[tuple[str, datetime], Decimal]


def lines() -> dict[str, bytes]:
    """All lines by their words, the good among the bad."""
    good = {word: kept[0] for word, kept in KEPT.items()}
    bad = {word: refused[0] for word, refused in REFUSED.items()}
    mixed: dict[str, bytes] = {}
    while good or bad:
        for source in (bad, bad, good):
            if source:
                word = next(iter(source))
                mixed[word] = source.pop(word)
    return mixed


LINES = lines()
NUMBERS = {word: number for number, word in enumerate(LINES, start=2)}


@pytest.fixture(scope="module", params=[SQLITE, POSTGRESQL])
def outcome(request: pytest.FixtureRequest) -> Iterator[Outcome]:
    """One import of all lines, with the three kinds of line ends in turn."""
    ends = cycle([b"\n", b"\r\n", b"\r"])
    file = b"".join(line + end for line, end in zip([HEADER, *LINES.values()], ends, strict=False))
    with request.getfixturevalue(request.param).fresh() as uri:
        app = create_app({"TESTING": True, "SQLALCHEMY_DATABASE_URI": uri, "SECRET_KEY": "tests"})
        with app.app_context():
            for site_id in SITES:
                add_site(site_id)
            source = rows.from_csv(BytesIO(file), readings.COLUMNS)
            result = readings.import_readings(source, zone=ZoneInfo("Europe/London"), now=NOW)
            stored = select(Site.site_id, Reading.reading_date, Reading.reading_value).join(
                Reading, Reading.site_key == Site.key
            )
            yield Outcome(
                (result.new, result.updated, result.unchanged, result.rejected),
                dict(result.errors),
                {(site_id, date): value for site_id, date, value in db.session.execute(stored)},
            )
            db.session.remove()
            db.engine.dispose()


@pytest.mark.parametrize("word", KEPT)
def test_a_line_that_can_be_meant_is_kept(outcome: Outcome, word: str) -> None:
    _, site_id, instant, value = KEPT[word]

    assert outcome.reasons.get(NUMBERS[word]) is None
    assert outcome.stored[site_id, datetime.fromisoformat(instant)] == Decimal(value)


@pytest.mark.parametrize("word", REFUSED)
def test_a_line_that_cannot_is_refused_with_its_number_and_a_reason(outcome: Outcome, word: str) -> None:
    assert REFUSED[word][1] in outcome.reasons.get(NUMBERS[word], "it was kept")


def test_every_line_is_counted_once(outcome: Outcome) -> None:
    assert outcome.counts == (len(KEPT), 0, 0, len(REFUSED))
    assert len(outcome.stored) == len(KEPT)
    assert list(outcome.reasons) == sorted(outcome.reasons)
