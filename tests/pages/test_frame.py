"""What all pages have in common."""

import re
from itertools import pairwise

import pytest
from sqlalchemy import update

from jobauto import create_app
from jobauto.extensions import db
from jobauto.models import Run, Site
from jobauto.storage.connections import write
from tests.databases import Postgresql, Sqlite
from tests.pages.reading import words
from tests.pages.scenes import PAGES
from tests.people import Person

ADDRESSES = (*PAGES, "/nowhere")
every_page = pytest.mark.parametrize("address", ADDRESSES)


@pytest.mark.any_engine
@every_page
def test_a_page_has_one_heading_of_the_first_level_and_skips_no_level(
    readers: dict[str, Person], address: str
) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])", readers["ada"].get(address).text)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


@pytest.mark.any_engine
@every_page
def test_one_can_log_out_from_every_page(readers: dict[str, Person], address: str) -> None:
    forms = re.findall(r"<form[^>]*>.*?</form>", readers["vera"].get(address).text, re.DOTALL)
    (form,) = (form for form in forms if "Log out" in form)
    assert 'method="post" action="/logout"' in form
    assert 'name="csrf_token"' in form


@pytest.mark.any_engine
@every_page
def test_an_id_names_one_thing_of_a_page_and_a_label_names_a_field(
    readers: dict[str, Person], address: str
) -> None:
    page = readers["ada"].get(address).text
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert [name for name in ids if ids.count(name) > 1] == []
    assert set(re.findall(r'<label [^>]*for="([^"]+)"', page)) <= set(ids)


@pytest.mark.any_engine
@every_page
def test_a_page_can_be_used_under_a_policy_that_refuses_inline_scripts_and_styles(
    readers: dict[str, Person], address: str
) -> None:
    page = readers["ada"].get(address).text
    assert not re.search(r"<[^>]+\s(style|on\w+)=", page)
    assert "<style" not in page
    for attributes in re.findall(r"<script([^>]*)>", page):
        assert " src=" in attributes or 'type="application/json"' in attributes


@pytest.mark.any_engine
@every_page
def test_a_page_has_a_way_round_its_navigation_and_names_the_zone_of_its_times_once(
    readers: dict[str, Person], address: str
) -> None:
    page = readers["ada"].get(address)
    assert 'href="#content"' in page.text
    assert 'id="content"' in page.text
    assert words(page, "footer") == "All times are in the time zone Europe/London."


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/", "Dashboard"),
        ("/jobs/", "Jobs"),
        ("/sites/", "Sites"),
        ("/runs/", "Runs"),
        ("/import/", "Import"),
        ("/settings/", "Settings"),
        ("/users/", "Users"),
        ("/audit/", "Auditlog"),
    ],
)
def test_the_navigation_says_where_one_is(readers: dict[str, Person], address: str, name: str) -> None:
    page = readers["ada"].get(address).text
    current = re.findall(r'<a [^>]*aria-current="page">(.*?)</a>', page, re.DOTALL)
    assert [re.sub(r"<[^>]+>|\s", "", text) for text in current] == [name]


def test_demo_data_is_marked_as_such_on_every_page(ada: Person, stranger: Person, run_id: int) -> None:
    def marked() -> list[str]:
        own = [address for address in ADDRESSES if "Demo data." in ada.get(address).text]
        return own + ["/login"] * ("Demo data." in stranger.get("/login").text)

    assert marked() == []
    with write() as session:
        session.execute(update(Site).values(is_demo=True))
        session.execute(update(Run).values(is_demo=True))
    assert marked() == [*ADDRESSES, "/login"]


@pytest.mark.any_engine
@pytest.mark.parametrize("address", ["/", "/nowhere", "/login", "/static/app.css", "/api/jobs/", "/healthz"])
def test_every_answer_says_what_a_browser_may_do_with_it(readers: dict[str, Person], address: str) -> None:
    with readers["ada"].get(address) as answer:
        headers = answer.headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["script-src"].startswith("'self' https://cdn.jsdelivr.net/npm/chart.js@")
    assert policy["style-src"] == "'self'"
    assert policy["img-src"] == "'self' data:"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"


def test_a_message_is_shown_on_the_next_page_once(ada: Person) -> None:
    with ada.client.session_transaction() as session:
        session["_flashes"] = [("warning", "Mind the <gap>.")]
    assert "Mind the &lt;gap&gt;." in ada.get("/").text
    assert "Mind the" not in ada.get("/").text


@pytest.mark.parametrize(
    ("address", "why"),
    [("/jobs/999", "There is no job 999."), ("/nowhere", "There is no page at this address.")],
)
def test_an_error_page_says_what_is_wrong_and_leads_back(ada: Person, address: str, why: str) -> None:
    page = ada.get(address)
    assert page.status_code == 404
    assert why in words(page)
    assert 'href="/"' in page.text


@pytest.mark.unsound
def test_the_page_for_a_broken_database_does_not_need_the_database(ada: Person) -> None:
    assert ada.get("/").status_code == 200
    with write() as session:
        session.connection().exec_driver_sql('ALTER TABLE "site" RENAME TO "site_gone"')
    page = ada.get("/jobs/")
    assert page.status_code == 500
    assert "Something went wrong" in words(page)
    assert "site_gone" not in page.text
    assert "Traceback" not in page.text


def test_a_database_without_tables_is_told_with_what_to_do(engine: Sqlite | Postgresql) -> None:
    bare = create_app({"TESTING": True, "SQLALCHEMY_DATABASE_URI": engine.empty(), "SECRET_KEY": "tests"})
    page = bare.test_client().get("/login")
    with bare.app_context():
        db.engine.dispose()
    assert page.status_code == 503
    assert "The database is empty. Create its tables with: jobauto db upgrade Try again" in words(page)
