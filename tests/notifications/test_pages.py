"""The pages on which an admin says who is told, and sees what became of it."""

import pytest
from flask import Flask

from jobauto.notifications.sending import process_pending
from tests.notifications.receivers import Web
from tests.notifications.telling import add_heartbeat, add_message
from tests.pages.reading import error_beside, form_of, words
from tests.people import Person

PAGE = "/settings/notifications/"


def add(ada: Person, **typed: str) -> None:
    given = {"kind": "message", "label": "operations", "url": "json://127.0.0.1:9/x", "wants_problems": "y"}
    answer = ada.post(PAGE, **given | typed)
    assert answer.status_code == 302, words(answer)


def test_the_settings_lead_to_the_channels(vera: Person) -> None:
    assert f'href="{PAGE}"' in vera.get("/settings/").text
    assert "No recipients" in words(vera.get(PAGE))


def test_a_channel_is_added_and_shown_in_short(ada: Person) -> None:
    add(ada)
    page = ada.get(f"{PAGE}1")
    assert "Added. Press Send a test" in words(page)
    assert "Added: operations, JSON at 127.0.0.1 Problems: none → to yes" in words(page)
    assert "operations JSON at 127.0.0.1 Problems Active None yet" in words(ada.get(PAGE))


def test_a_heartbeat_receives_each_run_whatever_is_ticked(ada: Person) -> None:
    add(ada, kind="heartbeat", url="https://hc.example/uuid", wants_digest="y")
    assert "operations https://hc.example Each run Active" in words(ada.get(PAGE))
    assert "What it receives" not in words(ada.get(f"{PAGE}1"))


@pytest.mark.parametrize(
    ("typed", "field", "why"),
    [
        ({"label": ""}, "label", "Give it a name."),
        ({"label": "see json://h/token"}, "label", "Everybody sees the name: it must not be a URL."),
        ({"label": "o\0ps"}, "label", "A name has no characters that cannot be seen."),
        ({"url": ""}, "url", "Enter a URL."),
        ({"url": "json://" + "x" * 2000}, "url", "Field cannot be longer than 2000 characters."),
        ({"kind": "pigeon"}, "kind", "Not a valid choice."),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_what_is_wrong_stands_beside_the_field(
    ada: Person, typed: dict[str, str], field: str, why: str
) -> None:
    given = {"kind": "message", "label": "ops", "url": "json://127.0.0.1:9/x"}
    page = ada.post(PAGE, **given | typed)
    assert page.status_code == 422
    assert error_beside(page, field) == why
    assert 'name="url"' in page.text
    assert form_of(page)["url"] == ""


@pytest.mark.process
@pytest.mark.parametrize(
    ("status", "said"),
    [(200, "jobauto: a test"), (500, "The service answered 500 (Internal Server Error).")],
    ids=["it arrives", "it is refused"],
)
def test_the_test_button_shows_truly_what_became_of_it(
    app: Flask, ada: Person, web: Web, status: int, said: str
) -> None:
    web.status = status
    add(ada, url=web.json_url())
    ada.post(f"{PAGE}1", action="test")
    waiting = ada.get(f"{PAGE}1")
    assert "A test waits to be sent." in words(waiting)
    assert 'http-equiv="refresh"' in waiting.text

    process_pending()

    page = ada.get(f"{PAGE}1")
    assert web.titles == ["jobauto: a test"]
    assert said in words(page)
    assert ("Sent just now" if status == 200 else "Given up just now") in words(page)
    assert 'http-equiv="refresh"' not in page.text
    assert "Tested: operations" in words(page)


def test_what_a_channel_receives_is_changed(ada: Person) -> None:
    add(ada)
    ada.post(f"{PAGE}1", action="change", wants_digest="y")
    text = words(ada.get(f"{PAGE}1"))
    assert "Receives Daily digest" in text
    assert "Problems: yes → to no" in text
    assert "Daily digest: no → to yes" in text


def test_a_heartbeat_cannot_be_made_to_want_messages(app: Flask, ada: Person) -> None:
    add_heartbeat("https://hc.example/uuid")
    assert ada.post(f"{PAGE}1", action="change", wants_digest="y").status_code == 409


def test_a_channel_is_switched_off_and_on_and_removed(app: Flask, ada: Person) -> None:
    add(ada)
    ada.post(f"{PAGE}1", action="switch-off")
    assert "Problems Inactive" in words(ada.get(PAGE))
    assert ada.post(f"{PAGE}1", action="test").status_code == 409
    ada.post(f"{PAGE}1", action="switch-on")
    assert "Problems Active" in words(ada.get(PAGE))
    assert ada.post(f"{PAGE}1", action="remove").location == PAGE
    assert "No recipients" in words(ada.get(PAGE))
    assert ada.get(f"{PAGE}1").status_code == 404
    log = words(ada.get("/audit/?subject=address"))
    for told in ("Added: operations", "Active: yes → to no", "Active: no → to yes", "Removed: operations"):
        assert told in log


@pytest.mark.parametrize("action", ["explode", ""])
def test_an_action_that_does_not_exist_is_refused(app: Flask, ada: Person, action: str) -> None:
    add(ada)
    assert ada.post(f"{PAGE}1", action=action).status_code == 400


@pytest.mark.parametrize("action", ["change", "test", "switch-off", "remove"])
def test_a_channel_that_is_not_there_is_not_found(ada: Person, action: str) -> None:
    assert ada.post(f"{PAGE}1", action=action).status_code == 404


def test_others_see_that_it_is_there_and_change_nothing(app: Flask, vera: Person, oscar: Person) -> None:
    add_message("json://127.0.0.1:9/x")
    for person in (vera, oscar):
        assert "operations JSON at 127.0.0.1" in words(person.get(PAGE))
        page = person.get(f"{PAGE}1")
        assert page.status_code == 200
        assert "<form" not in page.text.split("<main", 1)[1].split("</main>")[0]
        assert person.post(f"{PAGE}1", action="remove").status_code == 403
        assert person.post(PAGE, kind="message", label="x", url="json://h").status_code == 403


def test_a_name_is_never_markup(app: Flask, ada: Person) -> None:
    add(ada, label="<script>alert(1)</script>")
    for address in (PAGE, f"{PAGE}1", "/audit/"):
        assert "<script>alert(1)" not in ada.get(address).text
