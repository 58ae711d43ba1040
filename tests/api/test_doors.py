"""Every door of the API: who may use it, and that errors are JSON whatever happens."""

import re
from typing import Any

import pytest
from flask import Flask

from jobauto.models.user import ROLES
from tests.api.fleet import ERROR, has_shape
from tests.people import CAST, Answer, People, Person

pytestmark = pytest.mark.any_engine


AUTOMATION = "/api/job-automation"
METER_CHANGES = "/api/sites/<site_id:site_id>/meter-changes/"
UNDO = "/api/imports/<int:import_id>/undo/"
CANCEL = "/api/imports/<int:import_id>/cancel/"
DOORS = {
    ("GET", f"{AUTOMATION}/settings/"): "viewer",
    ("PUT", f"{AUTOMATION}/settings/"): "admin",
    ("GET", f"{AUTOMATION}/options/"): "viewer",
    ("GET", f"{AUTOMATION}/policies/"): "viewer",
    ("GET", f"{AUTOMATION}/policies/<name>/"): "viewer",
    ("PUT", f"{AUTOMATION}/policies/<name>/"): "admin",
    ("DELETE", f"{AUTOMATION}/policies/<name>/"): "admin",
    ("GET", f"{AUTOMATION}/lab/"): "viewer",
    ("POST", f"{AUTOMATION}/run-manual/"): "operator",
    ("GET", f"{AUTOMATION}/dashboard/"): "viewer",
    ("GET", f"{AUTOMATION}/runs/"): "viewer",
    ("GET", f"{AUTOMATION}/runs/<int:run_id>/"): "viewer",
    ("POST", f"{AUTOMATION}/runs/<int:run_id>/release/"): "operator",
    ("POST", f"{AUTOMATION}/runs/<int:run_id>/discard/"): "operator",
    ("GET", "/api/jobs/"): "viewer",
    ("GET", "/api/jobs/<int:job_id>/"): "viewer",
    ("PATCH", "/api/jobs/<int:job_id>/"): "operator",
    ("GET", "/api/jobs/export.csv"): "viewer",
    ("GET", "/api/imports/"): "viewer",
    ("POST", CANCEL): "operator",
    ("POST", UNDO): "operator",
    ("GET", "/api/sites/"): "viewer",
    ("GET", "/api/sites/<site_id:site_id>/readings/"): "viewer",
    ("GET", METER_CHANGES): "viewer",
    ("POST", METER_CHANGES): "operator",
    ("DELETE", f"{METER_CHANGES}<int:change_id>/"): "operator",
    ("GET", "/api/sites/<site_id:site_id>"): "viewer",
    ("POST", "/api/sites/"): "operator",
    ("POST", "/api/readings/"): "operator",
    ("GET", "/api/readings/reviews/"): "viewer",
    ("PATCH", "/api/readings/reviews/<int:review_id>/"): "operator",
    ("GET", "/api/profiles/"): "viewer",
    ("GET", "/api/profiles/<name>/"): "viewer",
    ("PUT", "/api/profiles/<name>/"): "operator",
    ("DELETE", "/api/profiles/<name>/"): "operator",
    ("GET", "/api/openapi.json"): "viewer",
}
"""The least role that each door needs. A door that is not listed here fails a test."""

NOTHING_HELD = {f"{AUTOMATION}/runs/<int:run_id>/release/", f"{AUTOMATION}/runs/<int:run_id>/discard/"}
"""Doors that are open and answer 409: the fleet's run holds no jobs."""

NO_PROFILE = "/api/profiles/<name>/"
"""A door that is open, but there is no profile behind it, and an empty document is none."""
NOTHING_THERE = {
    NO_PROFILE,
    CANCEL,
    UNDO,
    f"{METER_CHANGES}<int:change_id>/",
    "/api/readings/reviews/<int:review_id>/",
}
"""Doors that are open and answer 404."""

BODIES: dict[str, Any] = {
    f"{AUTOMATION}/settings/": {},
    f"{AUTOMATION}/policies/<name>/": {},
    "/api/jobs/<int:job_id>/": {},
    "/api/sites/": [],
    "/api/readings/": [],
    METER_CHANGES: {"changed_at": "2026-03-01T12:00:00Z"},
    "/api/readings/reviews/<int:review_id>/": {"decision": "right"},
    NO_PROFILE: {},
}
EACH_DOOR = pytest.mark.parametrize(
    ("method", "rule"), [pytest.param(*door, id=f"{door[0]} {door[1]}") for door in DOORS]
)


@pytest.fixture(autouse=True)
def _policy(people: People) -> None:
    """One to look at, and to delete."""
    people["ada"].api("PUT", f"{AUTOMATION}/policies/Slow/", json={})


def filled_in(rule: str) -> str:
    """An address of something that exists."""
    rule = re.sub("<int:(change|review|import)_id>", "4711", rule)
    rule = re.sub("<int:[a-z_]+>", "1", rule)
    for variable, value in (("<site_id:site_id>", "silent"), ("<name>", "Slow")):
        rule = rule.replace(variable, value)
    return rule


def knock(person: Person, method: str, rule: str, address: str | None = None) -> Answer:
    body = {"json": BODIES[rule]} if method in ("PUT", "PATCH", "POST") and rule in BODIES else {}
    return person.api(method, address or filled_in(rule), **body)


def opened(method: str, rule: str) -> int:
    """What an open door answers."""
    if method == "PUT" and rule == NO_PROFILE:
        return 422
    if rule in NOTHING_THERE:
        return 404
    if method == "DELETE":
        return 204
    return 409 if rule in NOTHING_HELD else 200


def is_json_error(response: Answer, status: int) -> bool:
    assert response.status_code == status
    assert response.mimetype == "application/json"
    assert "Location" not in response.headers
    return has_shape(response.json, ERROR)


def test_every_route_under_api_stands_in_the_table(standing: Flask) -> None:
    routes = {
        (method, rule.rule)
        for rule in standing.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == set(DOORS)


@EACH_DOOR
def test_a_stranger_is_told_to_log_in(people: People, method: str, rule: str) -> None:
    assert is_json_error(knock(people[None], method, rule), 401)


@EACH_DOOR
@pytest.mark.parametrize("name", CAST)
def test_a_role_opens_its_doors_and_no_others(people: People, method: str, rule: str, name: str) -> None:
    response = knock(people[name], method, rule)
    if ROLES.index(CAST[name]) < ROLES.index(DOORS[method, rule]):
        assert is_json_error(response, 403)
        assert DOORS[method, rule] in response.json["error"]
    else:
        assert response.status_code == opened(method, rule)
        assert response.mimetype == ("text/csv" if rule.endswith(".csv") else "application/json")
        assert response.headers["Cache-Control"] == "no-store"


@EACH_DOOR
@pytest.mark.parametrize("slash", ["", "/"], ids=["without", "with"])
def test_the_last_slash_does_not_matter(people: People, method: str, rule: str, slash: str) -> None:
    address = filled_in(rule).rstrip("/") + slash
    assert knock(people["ada"], method, rule, address).status_code == opened(method, rule)


@pytest.mark.parametrize("rule", sorted({rule for _, rule in DOORS}))
def test_a_method_that_a_door_does_not_know_is_405_and_says_which_it_knows(people: People, rule: str) -> None:
    for address in (filled_in(rule), filled_in(rule).rstrip("/")):
        known = {method for method, known in DOORS if known == rule}
        response = people["ada"].api("PATCH" if "DELETE" in known else "DELETE", address)
        assert is_json_error(response, 405)
        assert known <= {method.strip() for method in response.headers["Allow"].split(",")}


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("/api/", id="nothing"),
        pytest.param("/api/nonsense", id="no such door"),
        pytest.param("/api//jobs/", id="two slashes"),
        pytest.param("/api/jobs/0/", id="job 0"),
        pytest.param("/api/jobs/4711/", id="no such job"),
        pytest.param("/api/jobs/-1/", id="a negative job"),
        pytest.param("/api/jobs/1.5/", id="half a job"),
        pytest.param("/api/jobs/one/", id="a job in words"),
        pytest.param(f"/api/jobs/{2**63}/", id="a job beyond 64 bits"),
        pytest.param(f"/api/jobs/{'9' * 5000}/", id="a job of 5,000 digits"),
        pytest.param("/api/jobs/%D9%A1/", id="a job in Arabic digits"),
        pytest.param(f"{AUTOMATION}/runs/4711/", id="no such run"),
        pytest.param(f"{AUTOMATION}/runs/{2**63}/", id="a run beyond 64 bits"),
        pytest.param("/api/sites/nobody/", id="no such site"),
        pytest.param("/api/sites/%00/", id="a site of NUL"),
        pytest.param("/api/sites/a%00b/", id="NUL within a site"),
        pytest.param("/api/sites/%ff%fe/", id="a site that is not UTF-8"),
        pytest.param("/api/sites/" + "x" * 51 + "/", id="a site of 51 characters"),
        pytest.param("/api/sites/%0a/", id="a site of a line end"),
        pytest.param("/api/jobs/1/history", id="below a job"),
    ],
)
def test_what_does_not_exist_is_404(people: People, address: str) -> None:
    assert is_json_error(people["ada"].api("GET", address), 404)


def test_a_job_that_does_not_exist_cannot_be_changed(people: People) -> None:
    for number in (4711, 2**63):
        response = people["oscar"].api("PATCH", f"/api/jobs/{number}/", json={"status": "closed"})
        assert is_json_error(response, 404)


def test_head_and_options_are_answered(people: People) -> None:
    assert people["vera"].api("HEAD", "/api/jobs/").status_code == 200
    assert "GET" in people["vera"].api("OPTIONS", "/api/jobs/").headers["Allow"]
