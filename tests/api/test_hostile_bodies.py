"""Whatever is sent as a body, the answer is a clear error in JSON, and nothing is changed."""

from typing import Any

import pytest
from sqlalchemy import func, select

from jobauto.extensions import db
from jobauto.models import Event, Reading, SettingsVersion, Site
from tests.api.fleet import ERROR, has_shape
from tests.people import Person

SETTINGS = ("PUT", "/api/job-automation/settings/")
JOB = ("PATCH", "/api/jobs/1/")
SITES = ("POST", "/api/sites/")
READINGS = ("POST", "/api/readings/")
METER_CHANGE = ("POST", "/api/sites/S/meter-changes/")
REVIEW = ("PATCH", "/api/readings/reviews/1/")
POLICY = ("PUT", "/api/job-automation/policies/north/")
PROFILE = ("PUT", "/api/profiles/mine/")
OBJECTS = (SETTINGS, JOB, METER_CHANGE, REVIEW, POLICY, PROFILE)
JSON = "application/json"
HUGE = "9" * 4000
SURROGATE = r'"\ud800"'
NUL = r'"a\u0000b"'


def rows() -> list[int]:
    db.session.rollback()
    return [
        db.session.scalar(select(func.count()).select_from(table)) or 0
        for table in (SettingsVersion, Event, Site, Reading)
    ]


@pytest.fixture
def ada(people: dict[str | None, Person]) -> Person:
    return people["ada"]


@pytest.mark.any_engine
@pytest.mark.parametrize("door", [*OBJECTS, SITES, READINGS], ids=lambda door: door[1])
@pytest.mark.parametrize(
    ("body", "content_type", "statuses"),
    [
        pytest.param(b"", JSON, {400, 422}, id="nothing"),
        pytest.param(b"", "", {415}, id="nothing of no type"),
        pytest.param(b"{}", "text/plain", {415}, id="text"),
        pytest.param(b"a=1", "application/x-www-form-urlencoded", {415}, id="a form"),
        pytest.param(b"{}", "multipart/form-data", {415}, id="parts without a boundary"),
        pytest.param(b"{", JSON, {400, 422}, id="half of JSON"),
        pytest.param(b"{'a': 1}", JSON, {400, 422}, id="single quotes"),
        pytest.param(b"\xff\xfe\x00", JSON, {400, 422}, id="not UTF-8"),
        pytest.param(b"[" * 100_000, JSON, {400, 422}, id="deep nesting"),
        pytest.param(b'{"a":' * 40_000 + b"1" + b"}" * 40_000, JSON, {400, 422}, id="deep objects"),
        pytest.param(b"7", JSON, {400, 422}, id="a number"),
        pytest.param(b'"text"', JSON, {400, 422}, id="text in JSON"),
        pytest.param(b"null", JSON, {400, 422}, id="null"),
        pytest.param(b"true", JSON, {400, 422}, id="true"),
        pytest.param(b"1" * 5000, JSON, {400, 422}, id="a number of 5,000 digits"),
        pytest.param(b" " * 10_000_001, JSON, {413}, id="more than 10 MB"),
    ],
)
def test_a_body_that_cannot_be_taken(
    ada: Person, door: tuple[str, str], body: bytes, content_type: str, statuses: set[int]
) -> None:
    before = rows()
    response = ada.api(*door, data=body, content_type=content_type)
    assert response.status_code in statuses
    assert has_shape(response.json, ERROR)
    assert rows() == before


@pytest.mark.parametrize("door", OBJECTS, ids=lambda door: door[1])
def test_a_list_where_an_object_is_wanted(ada: Person, door: tuple[str, str]) -> None:
    response = ada.api(*door, data=b"[]", content_type=JSON)
    assert (response.status_code, response.json["error"]) == (400, "The body must be a JSON object.")


def test_an_unknown_field_is_called_one(ada: Person) -> None:
    answer = ada.api(*JOB, data=b'{"colour": "red"}', content_type=JSON)

    assert answer.json["fields"] == {"colour": ["There is no such field."]}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        pytest.param('{"x": 1}', ["x"], id="an unknown field"),
        pytest.param('{"status": 1}', ["status"], id="a number for text"),
        pytest.param('{"status": "CLOSED"}', ["status"], id="capital letters"),
        pytest.param('{"status": ["closed"]}', ["status"], id="a list for text"),
        pytest.param('{"priority": NaN}', ["priority"], id="not a number"),
        pytest.param('{"priority": "urgent", "status": "done"}', ["priority", "status"], id="two wrong ones"),
        pytest.param('{"assignee": 7}', ["assignee"], id="a number for a user"),
        pytest.param('{"assignee": "nobody"}', ["assignee"], id="an unknown user"),
        pytest.param('{"assignee": %s}' % NUL, ["assignee"], id="NUL in a user"),  # noqa: UP031 (braces)
        pytest.param('{"assignee": %s}' % SURROGATE, ["assignee"], id="a surrogate in a user"),  # noqa: UP031
        pytest.param('{"note": ""}', ["note"], id="an empty note"),
        pytest.param('{"note": "  "}', ["note"], id="a note of spaces"),
        pytest.param('{"note": "%s"}' % ("x" * 2001), ["note"], id="a note too long"),
        pytest.param('{"note": %s}' % NUL, ["note"], id="NUL in a note"),  # noqa: UP031
        pytest.param('{"note": %s}' % SURROGATE, ["note"], id="a surrogate in a note"),  # noqa: UP031
        pytest.param('{"note": "fine", "status": "gone"}', ["status"], id="one right, one wrong"),
    ],
)
def test_a_job_change_that_cannot_be_meant(ada: Person, body: str, fields: list[str]) -> None:
    before = rows()
    response = ada.api(*JOB, data=body, content_type=JSON)
    assert response.status_code == 422
    assert has_shape(response.json, ERROR)
    assert sorted(response.json["fields"]) == fields
    assert all(why and all(why) for why in response.json["fields"].values())
    assert rows() == before


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        pytest.param('{"x": 1}', ["x"], id="an unknown section"),
        pytest.param('{"NO_COMS": 1}', ["NO_COMS"], id="a number for a section"),
        pytest.param('{"NO_COMS": []}', ["NO_COMS"], id="a list for a section"),
        pytest.param('{"NO_COMS": null}', ["NO_COMS"], id="null for a section"),
        pytest.param('{"NO_COMS": {"x": 1}}', ["NO_COMS.x"], id="an unknown setting"),
        pytest.param('{"NO_COMS": {"days_threshold": "3"}}', ["NO_COMS.days_threshold"], id="text"),
        pytest.param('{"NO_COMS": {"days_threshold": true}}', ["NO_COMS.days_threshold"], id="true"),
        pytest.param('{"NO_COMS": {"days_threshold": 3.5}}', ["NO_COMS.days_threshold"], id="a fraction"),
        pytest.param('{"NO_COMS": {"days_threshold": NaN}}', ["NO_COMS.days_threshold"], id="NaN"),
        pytest.param('{"NO_COMS": {"days_threshold": 1e999}}', ["NO_COMS.days_threshold"], id="infinity"),
        pytest.param('{"NO_COMS": {"days_threshold": %s}}' % HUGE, ["NO_COMS.days_threshold"], id="huge"),  # noqa: UP031
        pytest.param('{"NO_COMS": {"days_threshold": 0}}', ["NO_COMS.days_threshold"], id="too small"),
        pytest.param('{"NO_COMS": {"days_threshold": 31}}', ["NO_COMS.days_threshold"], id="too large"),
        pytest.param('{"NO_COMS": {"enabled": "yes"}}', ["NO_COMS.enabled"], id="yes for true"),
        pytest.param(
            '{"NO_COMS": {"description_template": %s}}' % NUL,  # noqa: UP031
            ["NO_COMS.description_template"],
            id="NUL in a template",
        ),
        pytest.param(
            '{"NO_COMS": {"description_template": %s}}' % SURROGATE,  # noqa: UP031
            ["NO_COMS.description_template"],
            id="a surrogate in a template",
        ),
        pytest.param(
            '{"NO_COMS": {"description_template": "{site_id.__class__}"}}',
            ["NO_COMS.description_template"],
            id="an attribute in a template",
        ),
        pytest.param(
            '{"ZERO_READS": {"days_to_check": 2}}',
            ["ZERO_READS.days_to_check", "ZERO_READS.readings_to_compare"],
            id="a rule that could never fire",
        ),
        pytest.param('{"SCHEDULE": {"run_time": "6:00"}}', ["SCHEDULE.run_time"], id="a time of one digit"),
        pytest.param('{"SCHEDULE": {"run_time": "24:00"}}', ["SCHEDULE.run_time"], id="24:00"),
        pytest.param('{"SCHEDULE": {"run_time": "06:00\\n"}}', ["SCHEDULE.run_time"], id="a line end"),
        pytest.param('{"SCHEDULE": {"timezone": "London"}}', ["SCHEDULE.timezone"], id="no such zone"),
        pytest.param('{"SCHEDULE": {"timezone": "../etc"}}', ["SCHEDULE.timezone"], id="a path for a zone"),
    ],
)
def test_settings_that_cannot_be_meant(ada: Person, body: str, fields: list[str]) -> None:
    before = rows()
    response = ada.api(*SETTINGS, data=body, content_type=JSON)
    assert response.status_code == 422
    assert has_shape(response.json, ERROR)
    assert sorted(response.json["fields"]) == fields
    assert rows() == before


@pytest.mark.parametrize(
    ("door", "content"),
    [
        pytest.param(POLICY, {f"k{at}": 1 for at in range(20_000)}, id="unknown names in a policy"),
        pytest.param(POLICY, {"NO_COMS": {f"k{at}": 1 for at in range(20_000)}}, id="in a section of it"),
        pytest.param(POLICY, {"sites": [1] * 100_000}, id="numbers for sites"),
        pytest.param(POLICY, {"sites": [f"u{at}" for at in range(20_000)]}, id="unknown sites"),
        pytest.param(SETTINGS, {f"k{at}": 1 for at in range(20_000)}, id="unknown settings"),
        pytest.param(JOB, {f"k{at}": 1 for at in range(20_000)}, id="unknown names in a change of a job"),
    ],
)
def test_an_answer_is_no_longer_than_what_it_answers(
    ada: Person, door: tuple[str, str], content: Any
) -> None:
    """A policy of 1.9 MB was answered with 31 MB, for which it took 1.3 GB and nine seconds."""
    answer = ada.api(*door, json=content)
    assert answer.status_code == 422
    assert has_shape(answer.json, ERROR)
    assert len(answer.data) < 10_000
