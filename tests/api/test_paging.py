"""Long lists come in pages: 20 at a time, at most 100, and nonsense is refused."""

import pytest
from flask import Flask

from tests.api.fleet import ERROR, PAGE, has_shape
from tests.fleets import add_site, run_noon
from tests.people import Person

LISTS = ["/api/jobs/", "/api/sites/", "/api/job-automation/runs/"]
SITES = 21


@pytest.fixture(scope="module")
def _fleet(standing: Flask) -> None:
    for number in range(SITES - 2):
        add_site(f"S{number:03}")
    run_noon()


@pytest.fixture
def vera(_fleet: None, people: dict[str | None, Person]) -> Person:
    return people["vera"]


@pytest.mark.parametrize(
    ("asked", "items", "page", "per_page"),
    [
        pytest.param("", 20, 1, 20, id="the first by default"),
        pytest.param("?page=2", 1, 2, 20, id="the second"),
        pytest.param("?page=3", 0, 3, 20, id="one beyond the last: empty"),
        pytest.param("?page=1000000", 0, 1_000_000, 20, id="far beyond the last: empty"),
        pytest.param("?per_page=100", 21, 1, 100, id="the largest"),
        pytest.param("?per_page=1&page=21", 1, 21, 1, id="the smallest"),
        pytest.param("?page=&per_page=", 20, 1, 20, id="empty means the default"),
    ],
)
@pytest.mark.parametrize("address", LISTS[:2])
def test_which_part_of_the_list(
    vera: Person, address: str, asked: str, items: int, page: int, per_page: int
) -> None:
    answer = vera.api("GET", address + asked).json
    assert has_shape(answer, PAGE)
    assert (len(answer["items"]), answer["page"], answer["per_page"]) == (items, page, per_page)
    assert answer["total"] == SITES


@pytest.mark.any_engine
@pytest.mark.parametrize("name", ["page", "per_page"])
@pytest.mark.parametrize(
    "value", ["0", "-1", "1.5", "two", "1e3", "0x10", "%00", "²", "٣", "1000001", "9" * 30, "nan", "1;drop"]
)
@pytest.mark.parametrize("address", LISTS)
def test_a_page_that_cannot_be_meant(vera: Person, address: str, name: str, value: str) -> None:
    response = vera.api("GET", f"{address}?{name}={value}")
    assert response.status_code == 400
    assert has_shape(response.json, ERROR)
    assert list(response.json["fields"]) == [name]


def test_per_page_has_a_limit(vera: Person) -> None:
    assert vera.api("GET", "/api/jobs/?per_page=101").status_code == 400


def test_pages_show_every_job_once_newest_first(vera: Person) -> None:
    pages = [vera.api("GET", f"/api/jobs/?per_page=4&page={page}").json["items"] for page in range(1, 8)]
    ids = [job["id"] for page in pages for job in page]
    assert ids == sorted(set(ids), reverse=True)
    assert len(ids) == SITES
