"""A login of which a step is left opens that step alone; a password that another has set must be changed."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from jobauto.audit.service import Author
from jobauto.auth import logging_in, service, sessions, steps
from jobauto.auth.steps import Entered, LoginOver
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import PendingLogin, User
from jobauto.storage.connections import write
from tests.auth.routes import ANYBODY, EXPECTED
from tests.auth.second_factors import client, send
from tests.auth.test_every_route import address_of, refused, routes
from tests.people import PASSWORD, Person

GIVEN = "given by an admin"
OWN = "known to one alone"


def set_by_ada(ada: Person, name: str = "vera", password: str = GIVEN) -> None:
    answer = ada.post(f"/users/{name}", action="password", password=password, once_more=password)
    assert answer.status_code == 302


def lapse_of(name: str) -> Any:
    db.session.rollback()
    return service.by_name(name).password_lapses_at


@pytest.fixture
def half(app: Flask, ada: Person) -> Person:
    """Vera, whose password ada has set, after the first step."""
    set_by_ada(ada)
    vera = Person(app, None)
    answer = vera.post("/login", username="vera", password=GIVEN)
    assert (answer.status_code, answer.location) == (302, "/login/new-password")
    return vera


# -- what a half login opens ---------------------------------------------------------------------------


def test_a_half_login_opens_nothing_but_its_step(half: Person) -> None:
    opened = {}
    for method, endpoint in sorted(EXPECTED):
        if EXPECTED[method, endpoint] == ANYBODY or endpoint == "login_steps.new_password_submit":
            continue
        answer = half.client.open(address_of(routes()[method, endpoint]), method=method)
        led_on = answer.status_code == 302 and answer.location == "/login/new-password"
        if not refused(answer, leads_to_the_login=False) and answer.status_code != 400 and not led_on:
            opened[method, endpoint] = answer.status_code
    assert opened == {("GET", "login_steps.new_password"): 200}


def test_the_key_of_a_half_login_is_no_sessions(app: Flask, half: Person) -> None:
    with half.client.session_transaction() as cookie:
        cookie["_user_id"] = cookie["pending_login"]
    assert half.get("/jobs/").location.startswith("/login")


def test_a_step_keeps_nothing_of_the_cookie_before(app: Flask, ada: Person) -> None:
    set_by_ada(ada)
    vera = Person(app, None)
    vera.get("/login")
    with vera.client.session_transaction() as cookie:
        cookie["planted"] = "by somebody else"
        before = cookie["csrf_token"]
    vera.post("/login", username="vera", password=GIVEN)
    with vera.client.session_transaction() as cookie:
        assert set(cookie) == {"pending_login"}
        first = cookie["pending_login"]
    vera.get("/login/new-password")
    with vera.client.session_transaction() as cookie:
        assert cookie["csrf_token"] != before
    send(vera, "/login/new-password", password=OWN, once_more=OWN)
    with vera.client.session_transaction() as cookie:
        assert "pending_login" not in cookie
        assert cookie["_user_id"] != first


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/", "/\\evil.example/"])
def test_the_steps_lead_to_a_page_of_ours_only(app: Flask, ada: Person, target: str) -> None:
    set_by_ada(ada)
    vera = Person(app, None)
    step = vera.client.post(
        "/login", query_string={"next": target}, data={**csrf(vera), "username": "vera", "password": GIVEN}
    ).location
    assert step.startswith("/login/new-password?next=")
    assert send(vera, step, password=OWN, once_more=OWN).location == "/"


def test_the_steps_remember_the_page_that_was_asked_for(app: Flask, ada: Person) -> None:
    set_by_ada(ada)
    vera = Person(app, None)
    login = vera.get("/jobs/?rule=no_coms").location
    step = vera.client.post(login, data={**csrf(vera), "username": "vera", "password": GIVEN}).location
    assert send(vera, step, password=OWN, once_more=OWN).location == "/jobs/?rule=no_coms"


def csrf(person: Person) -> dict[str, str]:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', person.get("/login").text)
    assert found
    return {"csrf_token": found[1]}


# -- what ends it --------------------------------------------------------------------------------------


def begun(now: Any = None) -> Entered:
    service.set_password("vera", GIVEN, Author("ada", now or utcnow()), must_change=True)
    entered = service.log_in("vera", GIVEN, client(now=now or utcnow()))
    assert entered.step == steps.NEW_PASSWORD
    return entered


def end_sessions() -> None:
    with write() as session:
        sessions.end_all(session, service.by_name("vera"))


def deactivate() -> None:
    with write() as session:
        session.execute(update(User).where(User.username == "vera").values(active=False))


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(end_sessions, id="its sessions are ended"),
        pytest.param(deactivate, id="the account is deactivated"),
        pytest.param(
            lambda: service.set_password("vera", PASSWORD, Author("ada", utcnow())), id="another password"
        ),
    ],
)
def test_what_ends_the_sessions_of_a_user_ends_a_half_login(cast: None, app: Flask, what: Any) -> None:
    key = begun().key
    what()
    assert steps.waiting(key, utcnow()) is None
    with pytest.raises(LoginOver):
        logging_in.give_new_password(key, OWN, client())


def test_a_half_login_ends_after_a_quarter_of_an_hour(app: Flask, cast: None) -> None:
    now = utcnow()
    key = begun(now).key
    just, over = now + steps.LASTS - timedelta(seconds=1), now + steps.LASTS
    assert steps.waiting(key, just) is not None
    assert steps.waiting(key, over) is None
    with pytest.raises(LoginOver):
        logging_in.give_new_password(key, OWN, client(now=over))
    service.log_in("vera", GIVEN, client(now=over))
    assert db.session.query(PendingLogin).count() == 1, "what is over is cleared away"


def test_a_step_is_taken_once(app: Flask, cast: None) -> None:
    key = begun().key
    assert logging_in.give_new_password(key, OWN, client()).step is None
    with pytest.raises(LoginOver):
        logging_in.give_new_password(key, "another one of mine", client())


def test_the_key_is_not_in_the_database(app: Flask, cast: None) -> None:
    key = begun().key
    assert db.session.query(PendingLogin.key_hash).scalar() != key


# -- passwords that somebody else has set --------------------------------------------------------------


def test_a_password_set_by_an_admin_is_good_for_one_login_at_which_it_is_changed(
    app: Flask, half: Person
) -> None:
    assert send(half, "/login/new-password", password=OWN, once_more=OWN).location == "/"
    assert half.get("/jobs/").status_code == 200
    assert lapse_of("vera") is None
    for password, leads_to in ((GIVEN, None), (OWN, "/")):
        assert Person(app, None).post("/login", username="vera", password=password).location == leads_to


def test_a_new_account_made_on_the_page_must_change_its_password(app: Flask, ada: Person) -> None:
    ada.post("/users/", username="nina", role="viewer", password=GIVEN, once_more=GIVEN)
    answer = Person(app, None).post("/login", username="nina", password=GIVEN)
    assert answer.location == "/login/new-password"


@pytest.mark.parametrize("wrong", ["short", "password1", "vera"])
def test_the_new_password_must_be_a_good_one(half: Person, wrong: str) -> None:
    assert send(half, "/login/new-password", password=wrong, once_more=wrong).status_code == 422
    assert half.get("/jobs/").location.startswith("/login")


def test_the_same_password_again_is_no_password_of_ones_own(half: Person) -> None:
    answer = send(half, "/login/new-password", password=GIVEN, once_more=GIVEN)
    assert answer.status_code == 422
    assert "another one" in answer.text


def test_it_lapses_after_seven_days_unused(app: Flask, cast: None) -> None:
    now = utcnow()
    service.set_password("vera", GIVEN, Author("ada", now), must_change=True)
    just, over = now + timedelta(days=7, seconds=-1), now + timedelta(days=7)
    assert service.log_in("vera", GIVEN, client(now=just)).step == steps.NEW_PASSWORD
    with pytest.raises(service.PasswordLapsed):
        service.log_in("vera", GIVEN, client(now=over))


def test_the_page_says_that_it_has_lapsed_to_those_who_know_it_only(app: Flask, cast: None) -> None:
    service.set_password("vera", GIVEN, Author("ada", utcnow() - timedelta(days=8)), must_change=True)
    for password, told in ((GIVEN, True), (PASSWORD, False)):
        answer = Person(app, None).post("/login", username="vera", password=password)
        assert answer.status_code == 401
        assert ("was not used in time" in answer.text) is told


def test_one_that_somebody_sets_for_themselves_stays(app: Flask, vera: Person) -> None:
    vera.post("/account", action="password", current=PASSWORD, password=OWN, once_more=OWN)
    assert Person(app, None).post("/login", username="vera", password=OWN).location == "/"
