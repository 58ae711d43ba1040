"""Files under addresses that carry their content's hash, so that browsers keep them for a year."""

import re
from pathlib import Path

import pytest
from flask import Flask, url_for

from jobauto.web.static_files import KEPT_FOR_A_YEAR, version_of
from tests.people import Person


@pytest.mark.parametrize("address", ["/login", "/", "/jobs/", "/settings/", "/nowhere"])
def test_every_file_that_a_page_names_is_kept_for_a_year(ada: Person, stranger: Person, address: str) -> None:
    person = stranger if address == "/login" else ada
    files = set(re.findall(r'(?:href|src)="(/[^"]*static/[^"]+)"', person.get(address).text))
    assert any("bootstrap" in file for file in files)
    assert any("icons.svg?v=" in file for file in files) or person is stranger
    for file in files:
        with person.get(file) as answer:
            assert (answer.status_code, answer.headers["Cache-Control"]) == (200, KEPT_FOR_A_YEAR), file
        with person.client.get(file, headers={"If-None-Match": answer.headers["ETag"]}) as again:
            assert (again.status_code, again.headers["Cache-Control"]) == (304, KEPT_FOR_A_YEAR), file


@pytest.mark.parametrize(
    ("address", "status", "sent"),
    [
        pytest.param("/static/app.css", 200, "no-cache", id="without a version"),
        pytest.param("/static/app.css?v=", 200, "no-cache", id="an empty version"),
        pytest.param("/static/app.css?v=0123456789abcdef", 200, "no-cache", id="of another content"),
        pytest.param("/static/nothing.css?v=0123456789abcdef", 404, "no-store", id="no file"),
        pytest.param("/static/../wsgi.py?v=0123456789abcdef", 404, "no-store", id="no file of those"),
        pytest.param("/login?v=0123456789abcdef", 200, "no-store", id="a page"),
    ],
)
def test_whatever_else_is_asked_for_is_asked_for_again(
    stranger: Person, address: str, status: int, sent: str
) -> None:
    with stranger.get(address) as answer:
        assert (answer.status_code, answer.headers["Cache-Control"]) == (status, sent)


def test_other_content_has_another_address(app: Flask, tmp_path: Path) -> None:
    app.static_folder = str(tmp_path)
    file = tmp_path / "app.css"
    addresses = []
    for content in ("a {}", "b { }"):
        file.write_text(content)
        with app.test_request_context():
            addresses.append(url_for("static", filename="app.css"))
    assert len(set(addresses)) == 2
    assert addresses[1] == f"/static/app.css?v={version_of(file)}"
    with app.test_request_context():
        assert url_for("static", filename="nothing.css") == "/static/nothing.css"
