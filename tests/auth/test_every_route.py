"""Every route, with every method, for everybody, by cookie and by token: who gets in is in one table."""

import re
from functools import cache
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule

from jobauto import create_app
from jobauto.audit.service import Author
from jobauto.auth.service import issue_token
from jobauto.auth.tokens import NewToken
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models.user import ROLES
from jobauto.models.user import SCOPES as ALL_SCOPES
from tests.auth.routes import ANYBODY, EXPECTED, PENDING, SCOPES
from tests.fleets import add_one_fault_of_each_rule
from tests.people import CAST, Answer, People, Person

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
SOMETHING = {
    "job_id": "1",
    "run_id": "1",
    "review_id": "1",
    "change_id": "1",
    "import_id": "1",
    "name": "Slow",
    "site_id": "silent",
    "username": "vera",
    "filename": "app.css",
}
WAYS = ("cookie", "token")


@cache
def routes() -> dict[tuple[str, str], Rule]:
    app = create_app({"SECRET_KEY": "tests"})
    return {
        (method, rule.endpoint): rule
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


EACH_ROUTE = pytest.mark.parametrize(
    ("method", "endpoint"), [pytest.param(*route, id=" ".join(route)) for route in sorted(EXPECTED)]
)


def test_every_route_stands_in_the_table_and_nothing_else() -> None:
    assert set(EXPECTED) == set(routes())


@pytest.mark.any_engine
@EACH_ROUTE
def test_a_role_gets_where_the_table_lets_it_and_nowhere_else(
    standing: Flask, people: People, method: str, endpoint: str
) -> None:
    needed, rule = EXPECTED[method, endpoint], routes()[method, endpoint]
    for name in (None, *CAST):
        person = Person(standing, name, people[name].token)
        for way in WAYS:
            if name is None:
                person.token = "jobauto_made_up" if way == "token" else None
            answer = ask(person, way, method, rule)
            if needed == PENDING and answer.status_code == 400:
                continue  # nor does the form of a page count that a stranger cannot have
            logs_out = endpoint == "auth.logout" and name is not None
            got_in = not refused(answer, leads_to_the_login=logs_out and way == "cookie")
            no_door = way == "token" and needed != ANYBODY and (method, endpoint) not in SCOPES
            assert got_in == (may(name, needed) and not no_door), (name, way, answer.status_code)


def test_each_endpoint_of_the_api_says_which_tokens_open_it_and_no_page_is_opened_by_any() -> None:
    api = {route for route, rule in routes().items() if rule.rule.startswith("/api/")}
    assert set(SCOPES) == api | {("GET", "health.metrics"), ("GET", "auth.sender")}


@pytest.fixture(scope="module")
def tokens(standing: Flask) -> dict[str, str]:
    """A token of an admin by its scope."""
    made_by = Author("ada", utcnow())
    return {scope: issue_token("ada", NewToken("tests", scope), made_by) for scope in ALL_SCOPES}


@pytest.mark.any_engine
@pytest.mark.parametrize("scope", ALL_SCOPES)
@pytest.mark.parametrize(
    ("method", "endpoint"), [pytest.param(*route, id=" ".join(route)) for route in sorted(SCOPES)]
)
def test_a_token_opens_what_its_scope_lets_it(
    standing: Flask, tokens: dict[str, str], method: str, endpoint: str, scope: str
) -> None:
    ada = Person(standing, None, tokens[scope])
    answer = ask(ada, "token", method, routes()[method, endpoint])
    assert (answer.status_code != 403) == (scope in SCOPES[method, endpoint]), answer.status_code


@pytest.mark.any_engine
def test_a_token_and_a_scope_are_nothing_to_a_page_with_a_cookie_beside_them(people: People) -> None:
    """What a proxy in front puts there is not ours to judge; the cookie counts, and needs its CSRF token."""
    vera, ada = people["vera"], people["ada"]
    headers = {"Authorization": f"Bearer {ada.token}"}
    assert vera.client.get("/users/", headers=headers).status_code == 403
    assert vera.client.get("/jobs/", headers=headers).status_code == 200
    assert (
        ada.client.post("/account", headers=headers, data={"action": "token", "name": "x"}).status_code == 400
    )


@pytest.mark.any_engine
@EACH_ROUTE
def test_a_cookie_alone_changes_nothing(people: People, method: str, endpoint: str) -> None:
    if method not in UNSAFE:
        return
    ada, rule = people["ada"], routes()[method, endpoint]
    answer = ada.client.open(address_of(rule), method=method, headers={"X-CSRFToken": "made up"})
    assert answer.status_code == 400
    assert "CSRF" in answer.text


NOTED_IN_PASSING = {"user_session", "api_token", "lab_result"}
"""When a session or a token was last used is written down by every request; the lab keeps its answers."""


def test_opening_every_address_changes_no_row(app: Flask, cast: None) -> None:
    add_one_fault_of_each_rule()
    ada = Person(app, "ada")

    def rows() -> dict[str, list[Any]]:
        db.session.rollback()
        tables = (table for table in db.metadata.sorted_tables if table.name not in NOTED_IN_PASSING)
        return {table.name: sorted(map(str, db.session.execute(select(table)).all())) for table in tables}

    before = rows()
    for method, endpoint in EXPECTED:
        if method == "GET":
            ada.get(address_of(routes()[method, endpoint]))
    assert rows() == before


@pytest.mark.any_engine
@EACH_ROUTE
def test_other_methods_are_not_answered(people: People, method: str, endpoint: str) -> None:
    rule = routes()[method, endpoint]
    known = {known for known, other in routes() if routes()[known, other].rule == rule.rule}
    ada = people["ada"]
    for unknown in {"GET", *UNSAFE, "TRACE", "PROPFIND"} - known:
        answer = ada.api(unknown, address_of(rule))
        assert answer.status_code in (404, 405), unknown


def ask(person: Person, way: str, method: str, rule: Rule) -> Answer:
    body: dict[str, Any] = {"json": {}} if method in ("PUT", "PATCH") else {}
    if way == "token":
        return person.api(method, address_of(rule), **body)
    headers = {"X-CSRFToken": person.csrf_token()} if method in UNSAFE else {}
    answer: Answer = person.client.open(address_of(rule), method=method, headers=headers, **body)
    return answer


def refused(answer: Answer, leads_to_the_login: bool) -> bool:
    to_login = answer.status_code == 302 and answer.location.startswith("/login")
    return answer.status_code in (401, 403) or (to_login and not leads_to_the_login)


def may(name: str | None, needed: str) -> bool:
    if needed in (ANYBODY, PENDING):
        return needed == ANYBODY
    return name is not None and ROLES.index(CAST[name]) >= ROLES.index(needed)


def address_of(rule: Rule) -> str:
    return re.sub(r"<(?:[^:>]+:)?([^>]+)>", lambda found: SOMETHING.get(found[1], "1"), rule.rule)
