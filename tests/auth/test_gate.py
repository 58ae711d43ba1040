"""The gate: every page needs a login, every form its CSRF token, whether or not somebody thought of it."""

import re

import pytest
from werkzeug.routing import Rule

from jobauto import create_app
from tests.people import People, Person

pytestmark = pytest.mark.any_engine


OPEN_TO_ALL = {
    "auth.login",
    "auth.login_submit",
    "static",
    "bootstrap.static",
    "health.livez",
    "health.healthz",
    "health.metrics",
    "single_sign_on.begin",
    "single_sign_on.callback",
    "single_sign_on.logged_out",
}
LED_TO_THE_LOGIN_AFTER_THE_FORM = {
    "login_steps.code_submit",
    "login_steps.new_password_submit",
    "login_steps.set_up_submit",
}
ROUTES = [
    rule for rule in create_app({"SECRET_KEY": "tests"}).url_map.iter_rules() if rule.rule[:5] != "/api/"
]


def each_route(method: str) -> pytest.MarkDecorator:
    found = [rule for rule in ROUTES if method in (rule.methods or ())]
    return pytest.mark.parametrize("rule", found, ids=lambda rule: f"{method} {rule.rule}")


def address_of(rule: Rule) -> str:
    return re.sub(r"<[^>]+>", "1", rule.rule)


@each_route("GET")
def test_a_stranger_is_led_to_the_login(people: People, rule: Rule) -> None:
    with people[None].get(address_of(rule)) as answer:
        if rule.endpoint in OPEN_TO_ALL:
            assert answer.status_code in (200, 404)
        elif rule.endpoint == "auth.sender":
            assert answer.status_code == 401, "nginx asks, and follows nowhere"
        else:
            assert answer.status_code == 302
            assert answer.location.startswith("/login")
            assert answer.headers["Cache-Control"] == "no-store"


@each_route("POST")
def test_a_form_of_a_strangers_changes_nothing(people: People, rule: Rule) -> None:
    answer = people[None].client.open(address_of(rule), method="POST")
    if rule.endpoint in OPEN_TO_ALL | LED_TO_THE_LOGIN_AFTER_THE_FORM:
        assert answer.status_code == 400
    else:
        assert (answer.status_code, answer.location) == (302, "/login")


@each_route("POST")
@pytest.mark.parametrize("token", [None, "", "made up"])
def test_a_form_without_its_csrf_token_is_refused(people: People, rule: Rule, token: str | None) -> None:
    data = {} if token is None else {"csrf_token": token}
    answer = people["ada"].client.open(address_of(rule), method="POST", data=data)
    assert answer.status_code == 400
    assert "CSRF" in answer.text


@each_route("POST")
def test_the_csrf_token_of_somebody_else_is_refused(people: People, rule: Rule) -> None:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', people["vera"].get("/").text)
    assert found
    answer = people["ada"].client.open(address_of(rule), method="POST", data={"csrf_token": found[1]})
    assert answer.status_code == 400


@pytest.mark.parametrize("kept", [1, 2], ids=["without time and signature", "without signature"])
def test_what_pages_repeat_of_the_csrf_token_is_worth_nothing(oscar: Person, kept: int) -> None:
    """Compressed pages may let an onlooker guess what stands in each of them; the signature does not."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', oscar.get("/").text)
    assert found
    parts = found[1].split(".")
    assert len(parts) == 3
    # Another second's: without it the signature would not have to be guessed anew for each page.
    for token in (".".join(parts[:kept]), ".".join((parts[0], parts[1][::-1], parts[2]))):
        answer = oscar.client.open("/run-now", method="POST", data={"csrf_token": token})
        assert answer.status_code == 400


def test_a_viewer_may_neither_run_nor_change_settings(vera: Person) -> None:
    assert vera.post("/run-now").status_code == 403
    assert vera.post("/settings/").status_code == 403


def test_an_operator_may_not_change_settings(oscar: Person) -> None:
    assert oscar.post("/settings/").status_code == 403


def test_pages_are_kept_out_of_caches_and_files_are_not(ada: Person) -> None:
    for address in ("/", "/jobs/", "/settings/", "/nowhere", "/login"):
        assert ada.get(address).headers["Cache-Control"] == "no-store", address
    with ada.get("/static/app.css") as file:
        assert "no-store" not in file.headers.get("Cache-Control", "")


def test_credentials_for_a_proxy_in_front_do_not_end_a_session(vera: Person) -> None:
    answer = vera.client.get("/jobs/", headers={"Authorization": "Basic dmVyYTpzZWNyZXQ="})
    assert answer.status_code == 200
