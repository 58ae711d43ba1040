"""The pages of policies, and what the settings' and a site's page say of them."""

from typing import Any

import pytest
from sqlalchemy import update

from jobauto.audit.service import Author
from jobauto.extensions import db
from jobauto.models import Site
from jobauto.settings import service
from jobauto.settings.policies import Policy
from jobauto.storage.connections import write
from tests.fleets import NOON, add_site
from tests.pages.reading import error_beside, form_of, words
from tests.people import Person


@pytest.fixture(autouse=True)
def _sites(cast: None) -> None:
    add_site("S1", group="Schools")
    add_site("S2", group="Schools")
    add_site("S3")


def stored(name: str = "Slow") -> Policy | None:
    """A policy as it is in force."""
    db.session.rollback()
    return service.current().policies.named(name)


def test_an_admin_makes_a_policy_says_what_differs_and_deletes_it(ada: Person) -> None:
    answer = ada.post("/policies/", name="Slow", groups="Schools\r\n\r\n", sites=" S3 ")
    assert answer.location == "/policies/Slow"
    assert stored() == Policy("Slow", {}, ("Schools",), ("S3",))

    form = form_of(ada.get("/policies/Slow"))
    changes = {"NO_COMS.days_threshold": "7", "NO_COMS.enabled": "false", "ZERO_READS.priority": "high"}
    ada.client.post("/policies/Slow", data=form | changes | {"action": "save"})
    values: dict[str, Any] = {
        "NO_COMS": {"days_threshold": 7, "enabled": False},
        "ZERO_READS": {"priority": "high"},
    }
    assert stored() == Policy("Slow", values, ("Schools",), ("S3",))

    text = words(ada.get("/policies/"))
    assert "Slow 3 sites 1 group, 1 single site No Coms: Enabled: Off" in text
    assert "No Coms: Days without a reading: 7" in text
    assert "Slow 3 sites" in words(ada.get("/settings/"))

    assert ada.post("/policies/Slow", action="delete", version=form_of(ada.get("/policies/Slow"))["version"])
    assert stored() is None
    assert "No policies yet" in words(ada.get("/policies/"))
    text = words(ada.get("/audit/?subject=policy"))
    assert "Policy Slow No Coms: Days without a reading: 7 → to none" in text
    assert "Policy Slow Groups: none → to Schools" in text


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_saved(ada: Person) -> None:
    ada.post("/policies/", name="Slow", groups="Schools")
    form = form_of(ada.get("/policies/Slow")) | {"action": "save"}
    page = ada.client.post("/policies/Slow", data=form | {"NO_COMS.days_threshold": "x", "sites": "S9"})
    assert page.status_code == 422
    assert error_beside(page, "NO_COMS.days_threshold") == "Must be a whole number."
    page = ada.client.post("/policies/Slow", data=form | {"NO_COMS.days_threshold": "9", "sites": "S9"})
    assert error_beside(page, "sites") == "Unknown site: S9."
    assert form_of(page)["NO_COMS.days_threshold"] == "9"
    page = ada.post("/policies/", name="slow")
    assert (page.status_code, error_beside(page, "name")) == (422, "There is a policy Slow already.")
    assert stored() == Policy("Slow", {}, ("Schools",))


def test_a_page_that_is_older_than_somebody_elses_change_undoes_nothing(ada: Person) -> None:
    ada.post("/policies/", name="Slow", groups="Schools")
    old = form_of(ada.get("/policies/Slow")) | {"action": "save", "NO_COMS.days_threshold": "9"}
    theirs = Policy("Slow", {"NO_COMS": {"priority": "high"}}, ("Schools",))
    service.put_policy(theirs, author=Author("bob", NOON))

    page = ada.client.post("/policies/Slow", data=old)

    assert page.status_code == 409
    assert "somebody else has changed this policy" in words(page)
    assert "No Coms: Priority: High" in words(page)
    assert stored() == theirs
    again = form_of(page)
    assert again["NO_COMS.days_threshold"] == "9"
    ada.client.post("/policies/Slow", data=again | {"action": "save"})
    assert stored() == Policy("Slow", {"NO_COMS": {"days_threshold": 9}}, ("Schools",))


def test_a_change_of_other_settings_is_no_change_of_the_policy(ada: Person) -> None:
    ada.post("/policies/", name="Slow", groups="Schools")
    old = form_of(ada.get("/policies/Slow")) | {"action": "save", "NO_COMS.days_threshold": "9"}
    service.save(lambda before: before.changed({"NO_COMS": {"priority": "low"}}), by="bob", now=NOON)
    assert ada.client.post("/policies/Slow", data=old).status_code == 302


def test_a_site_says_what_is_in_force_there_and_where_it_comes_from(ada: Person) -> None:
    ada.post("/policies/", name="Slow", groups="Schools")
    service.put_policy(
        Policy("Slow", {"NO_COMS": {"enabled": False}}, ("Schools",)), author=Author("ada", NOON)
    )
    text = words(ada.get("/sites/S1"))
    assert "No Coms Not judged The rule is switched off here." in text
    assert "No Coms: 1 by policy" in text
    assert "Enabled Off Policy Slow" in text
    assert "Zero Reads: as for the fleet" in text
    assert "Enabled On The fleet" in words(ada.get("/sites/S3"))


def test_policies_that_contradict_each_other_since_a_site_moved_are_named(ada: Person) -> None:
    short, many = {"ZERO_READS": {"days_to_check": 3}}, {"ZERO_READS": {"readings_to_compare": 4}}
    service.put_policy(Policy("Short", short, ("Schools",)), author=Author("ada", NOON))
    service.put_policy(Policy("Many", many, sites=("S3",)), author=Author("ada", NOON))
    assert "contradict" not in words(ada.get("/settings/"))
    with write() as session:
        session.execute(update(Site).where(Site.site_id == "S3").values(group="Schools"))
    text = words(ada.get("/settings/"))
    assert "The policies of the site S3 and of its group contradict each other" in text


def test_others_look_at_policies_and_find_nothing_to_press(ada: Person, vera: Person) -> None:
    ada.post("/policies/", name="Slow", groups="Schools")
    for address in ("/policies/", "/policies/Slow"):
        page = vera.get(address)
        assert page.status_code == 200
        assert "<button" not in page.text.split("<main")[1]
    assert vera.get("/policies/nobody").status_code == 404
