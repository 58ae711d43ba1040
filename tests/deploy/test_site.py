"""The whole of a site: TLS, who the client is, the files, the sizes, and what is refused."""

import json
import re
import ssl

import pytest

from jobauto.web.headers import HSTS
from tests.deploy.site import ADDRESS, NAME, Site

pytestmark = pytest.mark.process

LOOPBACK = {
    "X-Forwarded-For": "127.0.0.1",
    "X-Real-IP": "127.0.0.1",
    "Forwarded": "for=127.0.0.1;proto=http;host=evil.example",
    "X_Forwarded_For": "127.0.0.1",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Prefix": "/evil",
    "X-Script-Name": "/evil",
}
"""What a client might say of itself."""


def test_plain_http_leads_to_https_under_the_sites_own_name(site: Site) -> None:
    answer = site.ask_plainly("/jobs/?page=2", host="evil.example")
    assert (answer.status, answer.headers["Location"]) == (308, f"https://{NAME}/jobs/?page=2")


def test_old_tls_is_refused(site: Site) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(site.folder / "certificate.pem")
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError, match=r"(?i)protocol|handshake|version|reset"):
        site.ask("/healthz", trusted=old)


def test_the_page_comes_with_its_headers_once_each(site: Site) -> None:
    answer = site.ask("/login")
    assert answer.status == 200
    for name in ("Content-Security-Policy", "X-Content-Type-Options", "Strict-Transport-Security"):
        assert len(answer.headers.get_all(name) or []) == 1, name
    assert answer.headers["Cache-Control"] == "no-store"
    assert "/" not in answer.headers["Server"], "no version"


def test_what_nginx_refuses_itself_asks_for_https_too(site: Site) -> None:
    for refused in (site.ask("/metrics"), site.ask("/login", headers={"Host": "evil.example"})):
        assert refused.headers.get_all("Strict-Transport-Security") == [HSTS], refused.status


def test_people_log_in_and_work(site: Site) -> None:
    ada = site.log_in("ada")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(ada.set_cookie.split("; "))
    assert ada.get("/settings/").status == 200
    answer = ada.post("/jobs/1", note="By hand, over TLS.")
    assert answer.status in (302, 303), answer.text[:500]
    assert "By hand, over TLS." in ada.get("/jobs/1").text


def test_a_form_without_its_token_or_from_elsewhere_is_refused(site: Site) -> None:
    oscar = site.log_in("oscar")
    form = b"note=forged"
    assert oscar.send("/jobs/1", form).status == 400
    token = oscar.token("/jobs/1")
    for referer in ("https://evil.example/", f"http://{NAME}:{site.port}/jobs/1", f"https://{NAME}:1/"):
        answer = oscar.send("/jobs/1", f"csrf_token={token}&note=forged".encode(), Referer=referer)
        assert answer.status == 400, referer
    assert "forged" not in oscar.get("/jobs/1").text


def test_the_program_knows_the_clients_address_whatever_the_client_says(site: Site) -> None:
    for place, headers in enumerate(({}, LOOPBACK)):
        assert site.ask(f"/login?seen={place}", headers=headers).status == 200
        assert site.gunicorn.await_line(rf'^\S+ - - \[.*/login\?seen={place}"?')[0].split()[0] == ADDRESS


def test_no_link_or_redirect_is_made_of_what_a_client_says_of_itself(site: Site) -> None:
    answer = site.ask("/jobs/", headers=LOOPBACK)
    assert (answer.status, answer.headers["Location"]) == (302, "/login?next=/jobs/")
    oscar = site.log_in("oscar")
    form = f"csrf_token={oscar.token('/jobs/1')}&note=as+usual".encode()
    assert oscar.send("/jobs/1", form, **LOOPBACK).status in (302, 303), (
        "its own name counts for the CSRF check"
    )
    page = site.ask("/login", headers=LOOPBACK)
    assert "evil" not in page.text + str(page.headers)
    assert "Secure" in page.headers["Set-Cookie"]


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{443}", "127.0.0.1", ""])
def test_another_name_is_refused(site: Site, host: str) -> None:
    answer = site.ask("/login", headers={"Host": host})
    assert answer.status in (400, 421)
    assert "csrf_token" not in answer.text


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["GET https://{name}/login HTTP/1.1", "Host: evil.example"], id="two names"),
        pytest.param(["GET https://evil.example/login HTTP/1.1", "Host: {name}"], id="another in the line"),
        pytest.param(["GET /login HTTP/1.0"], id="HTTP 1.0 without a name"),
        pytest.param(["GET /login HTTP/1.0", "Host: evil.example"], id="HTTP 1.0 with another"),
        pytest.param(["GET https://{name}/login HTTP/1.0"], id="HTTP 1.0 with a name in the line alone"),
        pytest.param(["GET /login HTTP/1.1", "Host: {name}.evil.example"], id="ours in another"),
        pytest.param(["GET /login HTTP/1.1", "Host: {name}:443@evil.example"], id="what is no name"),
    ],
)
@pytest.mark.parametrize("past_nginx", [False, True], ids=["by nginx", "by gunicorn"])
def test_a_request_names_this_site_alone(site: Site, lines: list[str], *, past_nginx: bool) -> None:
    request = "\r\n".join([*(line.format(name=NAME) for line in lines), "Connection: close", "", ""])
    answer = site.send_raw(request.encode(), past_nginx=past_nginx)
    assert re.match(rb"HTTP/1\.[01] 4[0-9]{2} ", answer), answer[:200]
    assert b"csrf_token" not in answer


@pytest.mark.parametrize("line", ["GET https://{name}/login HTTP/1.1", "GET /login HTTP/1.0"])
@pytest.mark.parametrize("host", ["{name}", "{name}:443"])
def test_a_request_that_names_it_is_served_however_it_does(site: Site, line: str, host: str) -> None:
    request = "\r\n".join([line, f"Host: {host}", "Connection: close", "", ""]).format(name=NAME)
    assert b"csrf_token" in site.send_raw(request.encode(), past_nginx=False)


@pytest.mark.parametrize("past_nginx", [False, True], ids=["by nginx", "by gunicorn"])
@pytest.mark.parametrize(
    "lengths",
    [
        "Content-Length: 6\r\nTransfer-Encoding: chunked",
        "Content-Length: 0\r\nContent-Length: 44",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Content-Length: +0",
    ],
)
def test_a_request_that_could_end_in_two_places_is_refused(
    site: Site, lengths: str, *, past_nginx: bool
) -> None:
    smuggled = f"GET /healthz HTTP/1.1\r\nHost: {NAME}\r\n\r\n"
    request = f"POST /login HTTP/1.1\r\nHost: {NAME}\r\n{lengths}\r\n\r\n0\r\n\r\n{smuggled}"
    answer = site.send_raw(request.encode(), past_nginx=past_nginx)
    assert re.match(rb"HTTP/1.1 (400|501) ", answer), answer[:200]
    assert b'{"status":"ok"}' not in answer


@pytest.mark.parametrize(
    "address",
    ["/metrics", "/metrics/", "/%6detrics", "//metrics", "/x/../metrics", "/metrics?a=1"],
)
def test_the_numbers_are_not_shown_to_who_pretends_to_be_inside(site: Site, address: str) -> None:
    answer = site.ask(address, headers=LOOPBACK)
    assert answer.status in (302, 404)
    assert "jobauto_" not in answer.text


def test_the_numbers_are_shown_to_this_machine(site: Site) -> None:
    assert "jobauto_open_jobs" in site.ask_backend("/metrics").text
    assert site.ask_backend("/metrics", {"X-Forwarded-For": "127.0.0.1"}).status == 401


def test_healthz_needs_no_login(site: Site) -> None:
    answer = site.ask("/healthz")
    assert (answer.status, answer.json) == (200, {"status": "ok"})


def test_the_files_of_a_page_come_from_nginx_with_their_headers(site: Site) -> None:
    login = site.ask("/login")
    page, hsts = login.text, login.headers["Strict-Transport-Security"]
    files = set(re.findall(r'(?:href|src)="(/[^"#]*static/[^"#]+)', page))
    assert any("app.css" in file for file in files)
    assert any("bootstrap" in file for file in files)
    kinds = {"css": "text/css", "svg": "image/svg+xml", "js": "application/javascript"}
    for file in sorted(files):
        answer = site.ask(file, headers={"Accept-Encoding": "gzip"})
        assert answer.status == 200, file
        assert answer.headers["Content-Type"] == kinds[file.partition("?")[0].rpartition(".")[2]]
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Strict-Transport-Security"] == hsts
        assert answer.headers["Set-Cookie"] is None
        again = site.ask(file, headers={"If-Modified-Since": answer.headers["Last-Modified"]})
        assert again.status == 304
    assert not [line for line in site.gunicorn.seen if "/static/" in line], "the program was not asked"


@pytest.mark.parametrize(
    "address", ["/static/../key.pem", "/static/%2e%2e/key.pem", "/static/", "/static../key.pem"]
)
def test_no_other_file_does(site: Site, address: str) -> None:
    answer = site.ask(address)
    assert answer.status >= 300
    assert "PRIVATE" not in answer.text


@pytest.mark.parametrize("size", [10_000_001, 12_000_000], ids=["by a byte", "by far"])
def test_more_than_10_mb_for_the_api_are_refused_in_json(site: Site, size: int) -> None:
    oscar = site.log_in("oscar")
    body = b"site_id,reading_date,reading_value\n".ljust(size, b"\n")
    answer = oscar.send("/api/readings/", body, "text/csv", **{"X-CSRFToken": oscar.token("/import/")})
    assert (answer.status, answer.headers["Content-Type"]) == (413, "application/json")
    assert set(answer.json) == {"error", "fields"}


def test_10_mb_for_the_api_are_taken(site: Site) -> None:
    oscar = site.log_in("oscar")
    body = b"site_id,reading_date,reading_value\nsilent,2026-03-01T06:00,1\n".ljust(10_000_000, b"\n")
    answer = oscar.send("/api/readings/", body, "text/csv", **{"X-CSRFToken": oscar.token("/import/")})
    assert (answer.status, answer.json["new"] + answer.json["unchanged"]) == (200, 1)


def test_a_file_larger_than_that_can_be_imported_on_the_page(site: Site) -> None:
    oscar = site.log_in("oscar")
    rows = "".join(f"silent,2026-03-01T00:{n // 60 % 60:02}:{n % 60:02},{n}\n" for n in range(3600))
    file = "site_id,reading_date,reading_value\n" + rows + "\n" * 12_000_000
    body, kind = multipart({"csrf_token": oscar.token("/import/"), "kind": "readings"}, file)
    answer = oscar.send("/import/", body, kind)
    assert answer.status == 302, answer.text[:2000]
    assert re.fullmatch(r"/import/\d+", answer.headers["Location"])


def multipart(fields: dict[str, str], file: str) -> tuple[bytes, str]:
    """A form with a file."""
    parts = [
        f'--limit\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        '--limit\r\nContent-Disposition: form-data; name="file"; filename="r.csv"\r\n'
        f"Content-Type: text/csv\r\n\r\n{file}\r\n--limit--\r\n"
    )
    return "".join(parts).encode(), "multipart/form-data; boundary=limit"


def test_an_error_of_the_api_stays_json(site: Site) -> None:
    assert site.ask("/api/nonsense").json["error"]
    assert json.loads(site.ask("/api/jobs").body)["error"], "not a redirect to the last slash"


@pytest.mark.parametrize(
    "version",
    [
        "",
        "?v=",
        "?v=0123456789abcdef",
        "?v=../static/app.css",
        "?v=%2e%2e/static/app.css",
    ],
)
def test_a_file_under_another_version_is_asked_for_again(site: Site, version: str) -> None:
    answer = site.ask(f"/static/app.css{version}")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "public, no-cache")


@pytest.mark.parametrize("address", ["/jobs/", "/api/openapi.json", "/jobs/export.csv", "/static/app.css"])
def test_what_is_long_comes_compressed_to_whom_can_read_it(site: Site, address: str) -> None:
    cookie = {"Cookie": site.log_in("vera").cookie}
    plain = site.ask(address, headers=cookie)
    packed = site.ask(address, headers=cookie | {"Accept-Encoding": "gzip"})
    assert plain.headers["Content-Encoding"] is None
    assert (packed.status, packed.headers["Content-Encoding"]) == (200, "gzip")
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert len(packed.body) < len(plain.body)
