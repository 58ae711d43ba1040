"""Logging in."""

from tests.pages.reading import error_beside, words
from tests.people import PASSWORD, Person


def test_a_wrong_password_is_told_beside_the_field_and_what_was_typed_is_kept(
    stranger: Person, cast: None
) -> None:
    page = stranger.post("/login", username="ada", password="wrong")
    assert page.status_code == 401
    assert error_beside(page, "password") == "User name or password is wrong."
    assert 'value="ada"' in page.text
    assert 'value="wrong"' not in page.text


def test_empty_fields_are_asked_for(stranger: Person) -> None:
    page = stranger.post("/login", username="", password="")
    assert page.status_code == 422
    assert error_beside(page, "username") == "Enter your user name."
    assert error_beside(page, "password") == "Enter your password."


def test_the_right_password_leads_to_the_dashboard(stranger: Person, cast: None) -> None:
    assert stranger.post("/login", username="ada", password=PASSWORD).location == "/"
    assert "Dashboard" in words(stranger.get("/"))


def test_before_the_login_there_is_no_navigation(stranger: Person) -> None:
    assert "<nav" not in stranger.get("/login").text
