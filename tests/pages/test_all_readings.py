"""All readings of a site, page by page and as a file."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest

from jobauto.models.quality import Quality
from jobauto.web.pages.readings import PER_PAGE
from tests.fleets import add_readings, add_site
from tests.pages.reading import words
from tests.people import Person

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)
COUNT = 2 * PER_PAGE + 30


@pytest.fixture
def key(app: object) -> int:
    """A site with a reading each half hour, in two pages and a bit."""
    return add_site("S1", {NOON - number * timedelta(minutes=30): COUNT - number for number in range(COUNT)})


def values(html: str) -> list[int]:
    """The values of a page, in its order."""
    return [int(float(text)) for text in re.findall(r'class="number">([\d.]+)<', html)]


def link(html: str, rel: str) -> str | None:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', html)
    return found[1].replace("&amp;", "&") if found else None


@pytest.mark.usefixtures("key")
def test_page_by_page_each_reading_comes_once_both_ways_and_whatever_comes_in_meanwhile(
    vera: Person, key: int
) -> None:
    pages = [vera.get("/readings/S1").text]
    assert link(pages[0], "prev") is None
    while (older := link(pages[-1], "next")) is not None:
        add_readings(key, {NOON + len(pages) * timedelta(minutes=30): 900 + len(pages)})
        pages.append(vera.get(older).text)
    assert [value for page in pages for value in values(page)] == list(range(COUNT, 0, -1))

    back = [pages[-1]]
    while (newer := link(back[-1], "prev")) is not None:
        back.append(vera.get(newer).text)
    found = [value for page in reversed(back) for value in values(page)]
    assert found == [902, 901, *range(COUNT, 0, -1)]


@pytest.mark.usefixtures("key")
def test_a_day_is_gone_to_with_the_reading_of_the_midnight_that_ends_it(vera: Person) -> None:
    page = vera.get("/readings/S1?day=2026-03-27")
    assert words(page).partition("Received")[2].startswith(" 2026-03-28 00:00 206.00")


@pytest.mark.parametrize("asked", ["before=yesterday", "after=2026-03-28T12:00", "day=28/03/2026"])
def test_an_address_that_cannot_be_meant_is_refused(vera: Person, key: int, asked: str) -> None:
    assert vera.get(f"/readings/S1?{asked}").status_code == 400


def test_all_of_them_are_a_file_oldest_first_with_what_became_of_them(vera: Person, key: int) -> None:
    add_readings(key, {NOON + timedelta(hours=13): "-5.25"}, quality=Quality.WRONG, received=NOON)
    answer = vera.get("/readings.csv/S1")
    found = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert len(found) == COUNT + 1
    assert [row["reading_value"] for row in found[:2]] == ["1.00", "2.00"]
    assert found[-1] == {
        "site_id": "S1",
        "reading_date": "2026-03-29T01:00:00Z",
        "reading_value": "-5.25",
        "quality": "wrong",
        "local_time": "2026-03-29 02:00:00",
        "received": "2026-03-28T12:00:00Z",
    }
    assert found[0]["received"] == ""


def test_a_site_without_readings_says_so(vera: Person) -> None:
    add_site("S1")
    assert "The site has not reported so far." in words(vera.get("/readings/S1"))
    assert vera.get("/readings/nobody").status_code == 404
    assert vera.get("/readings.csv/nobody").status_code == 404
