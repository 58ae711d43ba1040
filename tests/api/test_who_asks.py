"""A session cookie or a token says who asks; a cookie alone changes nothing without the CSRF token."""

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text, update

from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import ApiToken, User
from tests.people import People, Person

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


def test_what_is_good_in_one_place_is_worth_nothing_in_another(app: Flask, people: People) -> None:
    """The cookie, the key inside it, the CSRF token and the API token of one and the same person."""
    ada = people["ada"]
    cookie = ada.client.get_cookie(app.config["SESSION_COOKIE_NAME"])
    with ada.client.session_transaction() as session:
        key = session["_user_id"]
    assert cookie
    assert ada.token
    csrf = csrf_token(ada)  # once: each second has another one
    secrets = {cookie.value, key, csrf, ada.token}
    assert len(secrets) == 4
    stranger = people[None]
    for secret in secrets - {ada.token}:
        bearer = {"Authorization": f"Bearer {secret}"}
        assert stranger.client.get(SETTINGS, headers=bearer).status_code == 401
    for secret in secrets - {cookie.value}:
        stranger.client.set_cookie(app.config["SESSION_COOKIE_NAME"], secret)
        assert stranger.client.get(SETTINGS).status_code == 401
    for secret in secrets - {csrf}:
        form = {"X-CSRFToken": secret}
        assert ada.client.open(SETTINGS, json={}, headers=form, method="PUT").status_code == 400


@pytest.mark.parametrize("name", ["token", "access_token", "api_key", "Authorization"])
def test_a_token_in_an_address_opens_nothing(people: People, name: str) -> None:
    asked = {name: f"Bearer {people['ada'].token}" if name == "Authorization" else people["ada"].token}
    assert people[None].client.get(SETTINGS, query_string=asked).status_code == 401


def test_an_api_token_has_256_random_bits_and_is_not_in_the_database(app: Flask, cast: None) -> None:
    tokens = [str(Person(app, name).token) for name in ("ada", "vera")]
    kept = str(db.session.execute(text("SELECT * FROM api_token")).all())
    for token in tokens:
        assert len(token.removeprefix("jobauto_")) >= 43
        assert token not in kept
        assert token.removeprefix("jobauto_") not in kept
    assert tokens[0] != tokens[1]


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
        pytest.param("Basic \xff", id="a password that is no ASCII"),
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
