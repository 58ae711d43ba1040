"""A session cookie or a token says who asks; a cookie alone changes nothing without the CSRF token."""

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import ApiToken, User
from tests.people import Person

People = dict[str | None, Person]

SETTINGS = "/api/job-automation/settings/"


def csrf_token(person: Person) -> str:
    """The token that a page of this session carries."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', person.get("/").text)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("PUT", SETTINGS, {}),
        ("POST", "/api/job-automation/run-manual/", None),
        ("PATCH", "/api/jobs/1/", {}),
        ("POST", "/api/sites/", []),
        ("POST", "/api/readings/", []),
    ],
)
@pytest.mark.parametrize("header", [{}, {"X-CSRFToken": ""}, {"X-CSRFToken": "made up"}])
def test_a_cookie_without_the_csrf_token_changes_nothing(
    people: People, method: str, address: str, body: Any, header: dict[str, str]
) -> None:
    response = people["ada"].client.open(address, method=method, json=body, headers=header)
    assert response.status_code == 400
    assert "CSRF" in response.json["error"]


def test_a_cookie_with_the_csrf_token_does(people: People) -> None:
    response = people["ada"].client.open(
        SETTINGS, json={}, headers={"X-CSRFToken": csrf_token(people["ada"])}, method="PUT"
    )
    assert response.status_code == 200


def test_the_csrf_token_of_another_session_does_not(people: People) -> None:
    response = people["ada"].client.open(
        SETTINGS, json={}, headers={"X-CSRFToken": csrf_token(people["vera"])}, method="PUT"
    )
    assert response.status_code == 400


def test_a_cookie_alone_reads(people: People) -> None:
    assert people["vera"].client.open(SETTINGS).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param("Bearer jobauto_wrong", id="an unknown token"),
        pytest.param("Bearer ", id="an empty one"),
        pytest.param("Bearer", id="none"),
        pytest.param("Bearer \x01\x7f", id="nonsense"),
        pytest.param("Basic YWRhOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==", id="a password"),
        pytest.param("nonsense", id="no scheme"),
        pytest.param("", id="an empty header"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_bad_token_is_401_even_beside_a_good_cookie(
    people: People, authorization: str, method: str
) -> None:
    response = people["ada"].client.open(
        SETTINGS, method=method, json={}, headers={"Authorization": authorization}
    )
    assert response.status_code == 401
    assert set(response.json) == {"error", "fields"}


def test_the_scheme_of_a_token_may_be_spelled_in_small_letters(people: People) -> None:
    response = people["vera"].client.open(
        SETTINGS, headers={"Authorization": f"bearer {people['vera'].token}"}
    )
    assert response.status_code == 200


def test_a_token_speaks_for_its_own_user_not_for_the_cookies(people: People) -> None:
    response = people["ada"].client.open(
        SETTINGS, json={}, headers={"Authorization": f"Bearer {people['vera'].token}"}, method="PUT"
    )
    assert response.status_code == 403


@pytest.mark.parametrize(
    "taken_away",
    [
        pytest.param(update(ApiToken).values(revoked_at=utcnow()), id="the token was revoked"),
        pytest.param(update(User).values(active=False), id="the user was deactivated"),
    ],
)
def test_a_token_that_was_taken_away_opens_nothing(app: Flask, vera: Person, taken_away: Any) -> None:
    assert vera.api("GET", SETTINGS).status_code == 200
    db.session.execute(taken_away)
    db.session.commit()
    assert vera.api("GET", SETTINGS).status_code == 401


def test_a_deactivated_users_session_opens_nothing(app: Flask, vera: Person) -> None:
    assert vera.client.open(SETTINGS).status_code == 200
    db.session.execute(update(User).values(active=False))
    db.session.commit()
    assert vera.client.open(SETTINGS).status_code == 401
