"""The inventory through the API, whatever a site is called."""

from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from tests.api.fleet import ERROR, PAGE, SITE, has_shape
from tests.fleets import add_site
from tests.people import Person

SITES = "/api/sites/"
IMPORTED = {"new": int, "updated": int, "unchanged": int, "rejected": int, "errors": list}
IMPORTED |= {"warnings": list, "ignored_columns": list}


@pytest.fixture
def oscar(people: dict[str | None, Person]) -> Person:
    return people["oscar"]


def send(person: Person, body: Any) -> Any:
    response = person.api("POST", SITES, json=body)
    assert response.status_code == 200
    assert has_shape(response.json, IMPORTED)
    return response.json


@pytest.mark.parametrize(
    "site_id",
    [
        "plain",
        "with space",
        "North/Unit 7",
        "a//b",
        "/lead",
        "/",
        "100%",
        "%2F",
        "what?",
        "#1",
        "a&b=c;d",
        "Straße-ÄÖ",
        "日本-太陽光",
        "☀️1",
        "...",
        "../../etc/passwd",
        "<script>",
        "'; DROP TABLE site; --",
        "a+b",
        "x" * 50,
        "trail/",
        "verdicts",
    ],
)
@pytest.mark.parametrize("slash", ["/", ""])
def test_a_site_of_any_name_has_an_address(standing: Flask, oscar: Person, site_id: str, slash: str) -> None:
    if site_id.endswith("/") and not slash:
        slash = "/"  # the address of such a site needs its last slash
    send(oscar, {"site_id": site_id, "site_name": "Any"})
    response = oscar.api("GET", SITES + quote(site_id, safe="") + slash)
    assert response.status_code == 200
    assert response.json["site_id"] == site_id
    jobs = oscar.api("GET", "/api/jobs/", query_string={"site_id": site_id})
    assert (jobs.status_code, jobs.json["total"]) == (200, 0)


def test_a_site_comes_with_its_verdicts(oscar: Person) -> None:
    answer = oscar.api("GET", f"{SITES}silent/").json
    shape = SITE | {"verdicts": list, "covered_by": type(None), "effective": dict}
    assert has_shape(answer, shape)
    verdicts = {verdict["rule"]: verdict for verdict in answer["verdicts"]}
    assert set(verdicts) == {"no_coms", "zero_reads"}
    assert all(set(verdict) == {"rule", "verdict", "reason", "text", "days"} for verdict in verdicts.values())
    assert verdicts["no_coms"]["verdict"] == "flagged"
    assert verdicts["zero_reads"]["verdict"] == "not_assessable"
    assert verdicts["zero_reads"]["reason"] == "too few readings"


def test_an_inactive_site_is_not_judged(standing: Flask, oscar: Person) -> None:
    add_site("off", active=False)
    answer = oscar.api("GET", f"{SITES}off/").json
    assert {verdict["verdict"] for verdict in answer["verdicts"]} == {"not_judged"}


def test_site_ids_are_case_sensitive(oscar: Person) -> None:
    assert oscar.api("GET", f"{SITES}SILENT/").status_code == 404


def test_the_list_has_the_fields_of_the_inventory(oscar: Person) -> None:
    answer = oscar.api("GET", f"{SITES}?q=silent").json
    assert has_shape(answer, PAGE)
    (site,) = answer["items"]
    assert has_shape(site, SITE)
    assert site["site_name"] == "Silent House"


def test_one_object_or_a_list_is_taken_and_counted(oscar: Person) -> None:
    one = {"site_id": "N1", "site_name": "One", "monitored_from": "2026-01-31", "active": False, "group": "N"}
    assert send(oscar, one)["new"] == 1
    answer = send(
        oscar, [one | {"site_name": "Uno"}, {"site_id": "N2", "site_name": "Two"}, {"site_id": "N3"}]
    )
    assert [answer[name] for name in ("new", "updated", "unchanged", "rejected")] == [1, 1, 0, 1]
    assert answer["errors"] == [{"line": 3, "error": "missing: site_name"}]
    assert send(oscar, one | {"site_name": "Uno"})["unchanged"] == 1
    stored = oscar.api("GET", f"{SITES}N1/").json
    assert {name: stored[name] for name in one} == one | {"site_name": "Uno"}


@pytest.mark.parametrize(
    ("site", "reason"),
    [
        pytest.param({"site_id": "", "site_name": "x"}, "site_id is empty", id="no id"),
        pytest.param({"site_id": "x" * 51, "site_name": "x"}, "more than 50", id="an id too long"),
        pytest.param({"site_id": ".", "site_name": "x"}, "no address can hold", id="a dot"),
        pytest.param({"site_id": "..", "site_name": "x"}, "no address can hold", id="two dots"),
        pytest.param({"site_id": "1.2E+12", "site_name": "x"}, "a spreadsheet", id="a spreadsheet's number"),
        pytest.param({"site_id": "a\0b", "site_name": "x"}, "cannot be printed", id="NUL in an id"),
        pytest.param({"site_id": "a\nb", "site_name": "x"}, "cannot be printed", id="a line end in an id"),
        pytest.param({"site_id": "\ud800", "site_name": "x"}, "cannot be printed", id="a surrogate"),
        pytest.param({"site_id": "a", "site_name": "x" * 201}, "more than 200", id="a name too long"),
        pytest.param({"site_id": "a", "site_name": "\0"}, "control character", id="NUL in a name"),
        pytest.param({"site_id": "a", "site_name": ["x"]}, "not text or a number", id="a list for a name"),
        pytest.param({"site_id": "a", "site_name": "x", "active": "perhaps"}, "true or false", id="perhaps"),
        pytest.param(
            {"site_id": "a", "site_name": "x", "monitored_from": "31.1.26"}, "not a date", id="a date"
        ),
        pytest.param("a", "not an object", id="text for a site"),
        pytest.param(None, "not an object", id="null for a site"),
    ],
)
def test_a_site_that_cannot_be_is_rejected_with_its_line_and_reason(
    oscar: Person, site: Any, reason: str
) -> None:
    answer = send(oscar, [{"site_id": "good", "site_name": "Good"}, site])
    assert answer["rejected"] == 1
    (error,) = answer["errors"]
    assert error["line"] == 2
    assert reason in error["error"]


def test_an_unreadable_list_is_refused_as_a_whole(oscar: Person) -> None:
    response = oscar.api("POST", SITES, data=b'"text"', content_type="application/json")
    assert response.status_code == 422
    assert has_shape(response.json, ERROR)
