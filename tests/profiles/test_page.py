"""The page of profiles: a list, a document with its errors, and a trial on a file."""

import io
import json

import pytest
from flask import Flask

from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import ProfileVersion
from jobauto.storage.connections import write
from tests.memory import at_most
from tests.pages.reading import error_beside, words
from tests.pages.test_importing import wait
from tests.people import Person, add_cast
from tests.profiles.test_given_files import FILES, PROFILES, expected

NAME = "28_fit_reads.xlsx"


@pytest.fixture
def oscar(app: Flask) -> Person:
    add_cast()
    return Person(app, "oscar")


def test_the_list_reads_no_document_because_each_may_be_megabytes_long(app: Flask, oscar: Person) -> None:
    aliases = {f"meter {number}": f"S{number}" for number in range(30_000)}
    document = PROFILES[NAME] | {"site": PROFILES[NAME]["site"] | {"aliases": aliases}}
    with write() as session:
        session.add_all(
            ProfileVersion(key=name, version=1, name=name, document=document, changed_at=utcnow())
            for name in ("a", "b", "c", "d", "e")
        )
    db.session.expunge_all()
    oscar.get("/profiles/")
    with at_most(10):
        assert "a Excel Register" in words(oscar.get("/profiles/"))


def test_a_profile_is_made_tried_changed_and_deleted(app: Flask, oscar: Person) -> None:
    document = json.dumps(PROFILES[NAME])

    with (FILES / NAME).open("rb") as file:
        tried = oscar.post("/profiles/new/try", name="fit", document=document, sample=(file, NAME))
    assert tried.status_code == 200
    site, at, kwh = min(expected(NAME))
    assert (
        f"| 10212.5 | Jo {site} not in the fleet 2026-11-05 10:30:00+00:00 Europe/London "
        f"{at[:10]} {at[11:19]} UTC {float(kwh):,.2f}"
    ) in words(tried)
    assert "No profiles yet" in words(oscar.get("/profiles/"))

    saved = oscar.post("/profiles/new", name="fit", document=document)
    assert saved.location == "/profiles/fit/"
    assert "fit Excel Register None yet None yet 0 Not known yet oscar" in words(oscar.get("/profiles/"))
    oscar.post("/profiles/fit/", document=json.dumps(PROFILES[NAME] | {"source": "gw-A"}))
    assert "Versions, newest first Version By When 2 oscar" in words(oscar.get("/profiles/fit/"))
    assert "gw-A" in Person(app, "vera").get("/profiles/fit/").text
    oscar.post("/profiles/fit/delete")
    assert oscar.get("/profiles/fit/").status_code == 404


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ("{", "This is not JSON."),
        (json.dumps(PROFILES[NAME] | {"layout": "tall"}), "layout:"),
        (json.dumps(PROFILES[NAME] | {"header": {}}), "header: Give find or names"),
        ("", "Write the document."),
    ],
)
def test_what_is_no_profile_is_told_by_field(oscar: Person, document: str, error: str) -> None:
    answer = oscar.post("/profiles/new", name="fit", document=document)

    assert answer.status_code == 422
    assert error in words(answer)


def test_the_page_of_an_import_shows_the_rows_of_a_workbook_too(oscar: Person) -> None:
    oscar.post("/profiles/new", name="fit", document=json.dumps(PROFILES[NAME]))
    with (FILES / NAME).open("rb") as file:
        oscar.post("/import/", kind="readings", profile="fit", dry_run="y", file=(file, NAME))
    wait()

    assert "MILL-01 | Mill Lane Primary | 21P0100001" in words(oscar.get("/import/1"))


def test_a_profile_for_a_file_of_sites_is_refused_beside_it(oscar: Person) -> None:
    oscar.post("/profiles/new", name="fit", document=json.dumps(PROFILES[NAME]))
    sites = io.BytesIO(b"site_id,site_name\nS1,Site 1\n")

    answer = oscar.post("/import/", kind="sites", profile="fit", file=(sites, "sites.csv"))

    assert answer.status_code == 422
    assert error_beside(answer, "profile") == "Profiles read readings only. Choose none for a file of sites."


def test_a_file_that_the_profile_does_not_read_is_told_so(oscar: Person) -> None:
    with (FILES / "08_octopus.csv").open("rb") as file:
        answer = oscar.post(
            "/profiles/new/try",
            name="fit",
            document=json.dumps(PROFILES[NAME]),
            sample=(file, "a.csv"),
        )

    assert answer.status_code == 422
    assert "not an Excel workbook" in words(answer)
