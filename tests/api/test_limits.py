"""One caller may ask the API so often a minute and no more; others are not held up by it."""

import pytest
from flask import Flask

from tests.people import Person

JOBS = "/api/jobs/"


@pytest.fixture
def _three_a_minute(app: Flask) -> None:
    app.config["API_REQUESTS_PER_MINUTE"] = 3


@pytest.mark.usefixtures("_three_a_minute")
@pytest.mark.parametrize("way", ["token", "cookie"])
def test_one_request_too_many_is_429_with_the_time(vera: Person, way: str) -> None:
    def ask() -> int:
        return (vera.api("GET", JOBS) if way == "token" else vera.client.get(JOBS)).status_code

    assert [ask() for _ in range(5)] == [200, 200, 200, 429, 429]
    refused = vera.api("GET", JOBS) if way == "token" else vera.client.open(JOBS)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.json["error"].startswith("More than 3 requests in a minute. Try again in ")
    assert refused.json["fields"] == {}


@pytest.mark.usefixtures("_three_a_minute")
def test_each_token_and_each_user_is_counted_alone(vera: Person, oscar: Person) -> None:
    for _ in range(4):
        vera.api("GET", JOBS)
    assert vera.api("GET", JOBS).status_code == 429
    assert vera.client.get(JOBS).status_code == 200
    assert oscar.api("GET", JOBS).status_code == 200


@pytest.mark.usefixtures("_three_a_minute")
def test_pages_are_not_counted(vera: Person) -> None:
    assert [vera.get("/jobs/").status_code for _ in range(6)] == [200] * 6


def test_thousands_a_minute_are_allowed_by_default(app: Flask) -> None:
    assert app.config["API_REQUESTS_PER_MINUTE"] >= 6000
