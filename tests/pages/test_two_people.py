"""Two people with the same page open: nobody undoes unseen what the other did."""

from datetime import timedelta

import pytest
from flask import Flask

from jobauto.audit.service import Author
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.jobs.service import JobChange, change
from jobauto.models import Job, Site
from jobauto.settings import service as settings
from jobauto.sites import queries as sites
from jobauto.users import service as users
from tests.pages.reading import form_of, words
from tests.pages.scenes import FLAT
from tests.people import Person

SOON, LATER = ((utcnow() + timedelta(days=days)).date().isoformat() for days in (1, 9))


def flat() -> Site:
    db.session.rollback()
    site: Site = db.session.scalars(sites.by_site_id(FLAT)).one()
    return site


def edit_form(person: Person) -> dict[str, str]:
    """What the page's form to edit would send if nothing were typed."""
    return form_of(person.get(f"/sites/{FLAT}")) | {"action": "edit"}


def test_a_site_that_somebody_retired_stays_retired_when_an_older_page_corrects_its_group(
    ada: Person, oscar: Person, run_id: int
) -> None:
    older = edit_form(oscar)
    newer = edit_form(ada)
    del newer["active"]
    ada.client.post(f"/sites/{FLAT}", data=newer)

    assert oscar.client.post(f"/sites/{FLAT}", data=older | {"group": "North"}).status_code == 302

    assert (flat().active, flat().group) == (False, "North")


@pytest.mark.parametrize(
    ("field", "first", "second", "told"),
    [
        ("site_name", "Barn", "Stable", "ada changed Name from Flat roof to Barn"),
        ("group", "North", "South", "ada changed Group from none to North"),
        (
            "monitored_from",
            "2026-01-15",
            "2026-02-01",
            "ada changed Monitored from from none to 2026-01-15",
        ),
    ],
)
def test_where_both_changed_the_same_field_nothing_is_saved_and_the_second_is_told_by_whom(
    ada: Person, oscar: Person, run_id: int, field: str, first: str, second: str, told: str
) -> None:
    older = edit_form(oscar)
    ada.client.post(f"/sites/{FLAT}", data=edit_form(ada) | {field: first})

    page = oscar.client.post(f"/sites/{FLAT}", data=older | {field: second, "active": "y"})

    assert page.status_code == 409
    assert told in words(page)
    assert f"You asked for {second}." in words(page)
    kept = form_of(page)
    assert kept[field] == second
    assert str(getattr(flat(), field)) == first
    assert oscar.client.post(f"/sites/{FLAT}", data=kept | {"action": "edit"}).status_code == 302
    assert str(getattr(flat(), field)) == second


def test_two_people_who_ask_for_the_same_agree(ada: Person, oscar: Person, run_id: int) -> None:
    older = edit_form(oscar) | {"group": "North"}
    ada.client.post(f"/sites/{FLAT}", data=edit_form(ada) | {"group": "North"})
    assert oscar.client.post(f"/sites/{FLAT}", data=older).status_code == 302
    assert "Nothing was changed." in words(oscar.get(f"/sites/{FLAT}"))


def test_a_longer_snooze_of_somebody_else_is_neither_cut_short_nor_ended_unseen(
    ada: Person, oscar: Person, run_id: int
) -> None:
    snooze = {"action": "snooze", "last_day": SOON, "reason": "Works"}
    older = form_of(oscar.get(f"/sites/{FLAT}")) | snooze
    ada.client.post(f"/sites/{FLAT}", data=form_of(ada.get(f"/sites/{FLAT}")) | snooze | {"last_day": LATER})

    page = oscar.client.post(f"/sites/{FLAT}", data=older)
    assert page.status_code == 409
    assert "ada changed Snoozed until from none to" in words(page)
    assert form_of(page)["reason"] == "Works"

    seen = form_of(oscar.get(f"/sites/{FLAT}"))
    ada.client.post(f"/sites/{FLAT}", data=form_of(ada.get(f"/sites/{FLAT}")) | snooze)
    until = flat().snoozed_until
    assert oscar.client.post(f"/sites/{FLAT}", data=seen | {"action": "wake"}).status_code == 409
    assert flat().snoozed_until == until


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ({"assignee": "ada"}, {"assignee": "oscar"}, "ada changed Assignee from none to ada"),
        ({"priority": "high"}, {"priority": "low"}, "ada changed Priority from Medium to High"),
        (
            {"status": "closed", "resolution": "fixed"},
            {"resolution": "duplicate"},
            "ada changed Resolution from none to Fixed",
        ),
    ],
    ids=["assignee", "priority", "resolution"],
)
def test_a_field_of_a_job_that_both_changed_is_not_saved_and_the_note_stays_in_the_form(
    ada: Person, oscar: Person, run_id: int, first: dict[str, str], second: dict[str, str], told: str
) -> None:
    older = form_of(oscar.get("/jobs/1")) | second | {"note": "Nobody at home."}
    ada.client.post("/jobs/1", data=form_of(ada.get("/jobs/1")) | first)

    page = oscar.client.post("/jobs/1", data=older)

    assert page.status_code == 409
    assert told in words(page)
    kept = form_of(page)
    assert kept["note"] == "Nobody at home."
    assert second.items() <= kept.items()
    db.session.rollback()
    job = db.session.get_one(Job, 1)
    assert all(getattr(job, name) == value for name, value in first.items())
    assert oscar.client.post("/jobs/1", data=kept).status_code == 302
    db.session.rollback()
    assert all(getattr(job, name) == value for name, value in second.items())


def test_of_a_conflict_the_fields_that_were_not_touched_show_what_is_stored_now(
    ada: Person, oscar: Person, run_id: int
) -> None:
    older = form_of(oscar.get("/jobs/1")) | {"assignee": "oscar"}
    ada.client.post("/jobs/1", data=form_of(ada.get("/jobs/1")) | {"assignee": "ada", "priority": "high"})
    kept = form_of(oscar.client.post("/jobs/1", data=older))
    assert (kept["priority"], kept["assignee"]) == ("high", "oscar")


def test_what_is_wrong_in_an_older_page_does_not_make_it_a_newer_one(
    ada: Person, oscar: Person, run_id: int
) -> None:
    older = form_of(oscar.get("/jobs/1")) | {"note": "  "}
    change(1, JobChange(priority="high"), by="ada", now=utcnow())
    refused = oscar.client.post("/jobs/1", data=older)
    assert refused.status_code == 422
    oscar.client.post("/jobs/1", data=form_of(refused) | {"note": "Mended."})
    db.session.rollback()
    assert db.session.get_one(Job, 1).priority == "high"


def test_a_role_that_another_admin_gave_meanwhile_is_not_taken_back_unseen(app: Flask, ada: Person) -> None:
    older = form_of(ada.get("/users/vera")) | {"action": "role", "role": "admin"}
    users.set_role("vera", "operator", author=Author("oscar", utcnow()))
    page = ada.client.post("/users/vera", data=older)
    assert page.status_code == 409
    assert "oscar changed Role from Viewer to Operator" in words(page)
    assert form_of(page)["role"] == "admin"
    assert form_of(ada.get("/users/vera"))["role"] == "operator"


def test_settings_that_nobody_else_touched_are_saved_beside_those_of_others(ada: Person) -> None:
    older = form_of(ada.get("/settings/")) | {"ZERO_READS.days_to_check": "9"}
    settings.save(lambda s: s.changed({"SCHEDULE": {"run_time": "05:00"}}), by="oscar", now=utcnow())
    assert ada.client.post("/settings/", data=older).status_code == 302
    db.session.rollback()
    stored = settings.current().settings
    assert (stored.document()["ZERO_READS"]["days_to_check"], stored.schedule.run_time) == (9, "05:00")


def test_of_a_setting_that_both_changed_the_second_is_told_who_was_faster(ada: Person) -> None:
    older = form_of(ada.get("/settings/")) | {"ZERO_READS.days_to_check": "9"}
    settings.save(lambda s: s.changed({"ZERO_READS": {"days_to_check": 6}}), by="oscar", now=utcnow())
    text = words(ada.client.post("/settings/", data=older))
    assert "oscar changed Zero Reads: Days to check from 4 to 6" in text
