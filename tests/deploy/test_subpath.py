"""Under a sub-path: every address keeps it, also one with a coded slash in it, and the cookie stays there."""

import re

import pytest

from jobauto.web.headers import HSTS
from tests.deploy.site import Site
from tests.deploy.test_large_bodies import answer, begin, is_waited_for

pytestmark = pytest.mark.process


def test_the_rest_of_the_site_is_not_ours(part: Site) -> None:
    part.prefix, ours = "", part.prefix
    try:
        assert part.ask("/").text == "another program"
        answer = part.ask("/jobauto")
        assert (answer.status, answer.headers["Location"][-9:]) == (308, "/jobauto/")
        assert answer.headers.get_all("Strict-Transport-Security") == [HSTS]
        assert part.ask("/jobauto/metrics").headers.get_all("Strict-Transport-Security") == [HSTS]
        assert part.ask("/").headers["Strict-Transport-Security"] is None
    finally:
        part.prefix = ours


def test_people_log_in_and_every_address_keeps_the_prefix(part: Site) -> None:
    ada = part.log_in("ada")
    assert {"Secure", "HttpOnly", "Path=/jobauto"} <= set(ada.set_cookie.split("; "))
    waiting, seen = {"/"}, set[str]()
    while waiting and len(seen) < 25:
        address = waiting.pop()
        seen.add(address)
        page = ada.get(address)
        if page.status != 200 or not page.headers["Content-Type"].startswith("text/html"):
            continue
        links = set(re.findall(r'(?:href|src|action)="(/[^"#]*)', page.text))
        assert not [link for link in links if not link.startswith("/jobauto/")], address
        ours = {link.removeprefix("/jobauto").replace("&amp;", "&") for link in links}
        waiting |= {link for link in ours if "static" not in link and "logout" not in link} - seen
    assert {"/jobs/", "/sites/", "/runs/", "/settings/"} <= seen | waiting


def test_a_stranger_is_asked_to_log_in_and_comes_back_to_where_they_wanted_to_go(part: Site) -> None:
    answer = part.ask("/jobs/?status=open")
    assert answer.headers["Location"].startswith("/jobauto/login?next=/jobs/")
    session = part.log_in("vera")
    assert session.get("/login?next=/sites/").headers["Location"] == "/jobauto/sites/"


def test_a_site_id_with_a_slash_is_found(part: Site) -> None:
    ada = part.log_in("ada")
    body = b'{"site_id": "A/B 100%", "site_name": "Slash"}'
    token = {"X-CSRFToken": ada.token("/import/")}
    assert ada.send("/api/sites/", body, "application/json", **token).status == 200
    assert ada.get("/sites/A%2FB%20100%25").status == 200
    assert ada.get("/api/sites/A%2FB%20100%25/").json["site_id"] == "A/B 100%"


@pytest.mark.parametrize(("size", "status"), [(10_000_000, 200), (10_000_001, 413)])
def test_the_api_takes_10_mb_here_too(part: Site, size: int, status: int) -> None:
    ada = part.log_in("ada")
    body = b"site_id,reading_date,reading_value\n".ljust(size, b"\n")
    assert (
        ada.send("/api/readings/", body, "text/csv", **{"X-CSRFToken": ada.token("/import/")}).status
        == status
    )


def test_a_strangers_file_is_not_taken_here_either(part: Site) -> None:
    said = answer(begin(part, "/import/?page=2", "Content-Length: 9000000"))
    assert said.startswith("HTTP/1.1 302 ")
    assert "Location: /jobauto/login?next=/import/?page=2\r\n" in said
    ada = part.log_in("ada")
    assert is_waited_for(begin(part, "/import/", "Content-Length: 9000000", ada.cookie))


def test_files_come_from_nginx(part: Site) -> None:
    answer = part.ask("/static/app.css")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "public, no-cache")


@pytest.mark.parametrize("address", ["/metrics", "/%6detrics", "/x/../metrics", "/x/%2e%2e/metrics"])
def test_the_numbers_are_not_shown(part: Site, address: str) -> None:
    answer = part.ask(address, headers={"X-Forwarded-For": "127.0.0.1"})
    assert answer.status == 404
    assert "jobauto_" not in answer.text


def test_errors_of_the_api_are_json(part: Site) -> None:
    assert part.ask("/api/jobs").json["error"]
    assert part.ask("/api/nonsense/").status in (401, 404)
