"""A site's page: why there is no job, and the forms that change it."""

from datetime import timedelta

import pytest

from jobauto.clock import utcnow
from tests.fleets import add_site
from tests.pages.reading import error_beside, form_of, words
from tests.pages.scenes import FLAT, SILENT
from tests.people import Person

TOMORROW = (utcnow() + timedelta(days=1)).date().isoformat()


def test_a_site_is_edited_and_the_change_is_kept(oscar: Person, run_id: int) -> None:
    answer = oscar.post(
        f"/sites/{FLAT}",
        action="edit",
        site_name="Flat roof, back",
        group="North",
        monitored_from="2026-01-15",
        active="y",
    )
    assert answer.location == f"/sites/{FLAT}"
    text = words(oscar.get(f"/sites/{FLAT}"))
    assert "Saved." in text
    assert "Group North" in text
    assert "Site name: Flat roof → to Flat roof, back" in text
    assert "Monitored from: none → to 2026-01-15" in text


def test_a_site_is_deactivated_by_its_switch(oscar: Person, run_id: int) -> None:
    form = form_of(oscar.get(f"/sites/{FLAT}")) | {"action": "edit"}
    assert form.pop("active")
    oscar.client.post(f"/sites/{FLAT}", data=form)
    text = words(oscar.get(f"/sites/{FLAT}"))
    assert "This site is inactive" in text
    assert "Active: yes → to no" in text


@pytest.mark.parametrize(
    ("action", "fields", "wrong", "why"),
    [
        ("edit", {"site_name": " "}, "site_name", "Must not be empty."),
        ("edit", {"site_name": "x" * 201}, "site_name", "Field cannot be longer than 200 characters."),
        (
            "edit",
            {"site_name": "x", "monitored_from": "31/03/2026"},
            "monitored_from",
            "Not a valid date value.",
        ),
        ("snooze", {"reason": "Roof work"}, "last_day", "Choose a day."),
        ("snooze", {"last_day": TOMORROW}, "reason", "Say why."),
        (
            "snooze",
            {"last_day": "2020-01-01", "reason": "Roof work"},
            "last_day",
            "Must be today or later, and within a year.",
        ),
        (
            "snooze",
            {"last_day": "9999-12-31", "reason": "Roof work"},
            "last_day",
            "Must be today or later, and within a year.",
        ),
    ],
    ids=["no name", "long name", "no date", "no day", "no reason", "past day", "last day of all"],
)
def test_what_is_wrong_stands_beside_its_field_in_a_form_that_is_open(
    oscar: Person, run_id: int, action: str, fields: dict[str, str], wrong: str, why: str
) -> None:
    page = oscar.post(f"/sites/{FLAT}", action=action, **fields)
    assert page.status_code == 422
    assert error_beside(page, wrong) == why
    assert page.text.count('<details class="disclosure" open>') == 1


def test_an_action_that_does_not_exist_changes_nothing(oscar: Person, run_id: int) -> None:
    assert oscar.post(f"/sites/{FLAT}", action="explode", site_name="x").status_code == 400
    assert "Flat roof" in words(oscar.get(f"/sites/{FLAT}"))


def test_a_snoozed_site_says_until_when_and_why_wherever_it_is_met(
    oscar: Person, vera: Person, run_id: int
) -> None:
    oscar.post(f"/sites/{SILENT}", action="snooze", last_day=TOMORROW, reason="Roof work")
    page = vera.get(f"/sites/{SILENT}")
    assert "This site is snoozed until" in words(page)
    assert "Roof work" in words(page)
    assert "No Coms Not judged The site is snoozed." in words(page)
    assert "End the snooze" not in words(page)
    inventory = words(vera.get("/sites/?state=snoozed"))
    assert "Silent roof SILENT Snoozed" in inventory
    assert "00:00: Roof work" in inventory
    assert "1 site" in inventory
    assert "It is snoozed until" in words(vera.get("/jobs/1"))


def test_a_site_is_woken_early(oscar: Person, run_id: int) -> None:
    oscar.post(f"/sites/{SILENT}", action="snooze", last_day=TOMORROW, reason="Roof work")
    assert "End the snooze" in words(oscar.get(f"/sites/{SILENT}"))
    oscar.post(f"/sites/{SILENT}", action="wake")
    text = words(oscar.get(f"/sites/{SILENT}"))
    assert "This site is snoozed" not in text
    assert "Snooze reason: Roof work → to none" in text
    assert "No site matches" in words(oscar.get("/sites/?state=snoozed"))


def test_a_viewer_reads_a_site_and_finds_nothing_to_press(vera: Person, run_id: int) -> None:
    page = vera.get(f"/sites/{FLAT}")
    assert "<form" not in page.text.split("<main")[1].split("</main>")[0]
    assert vera.post(f"/sites/{FLAT}", action="edit", site_name="x").status_code == 403


@pytest.mark.parametrize(("group", "found"), [("North", True), ("South", False), ("Gone", False)])
def test_the_inventory_is_narrowed_to_a_group(vera: Person, group: str, found: bool) -> None:
    add_site("S1", {}, site_name="Mill Lane", group="North")
    add_site("S2", {}, site_name="Orchard Close", group="South")
    page = vera.get(f"/sites/?group={group}")
    assert ("Mill Lane" in words(page)) == found
    assert form_of(page)["group"] == group
