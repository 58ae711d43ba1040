"""Only what configured proxies say of a client counts, and only the headers that they set."""

import pytest
from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import create_environ, run_wsgi_app

from jobauto import create_app
from jobauto.web.proxies import PlainAddress

KNOWN = {"TESTING": True, "SECRET_KEY": "tests"}

SAID = {
    "X-Forwarded-For": "192.0.2.66, 192.0.2.1",
    "X-Forwarded-Proto": "http, https",
    "X-Forwarded-Host": "evil.example, jobauto.example.com",
    "X-Forwarded-Prefix": "/evil, /jobauto",
    "X-Forwarded-Port": "6666",
    "Forwarded": "for=192.0.2.66;host=evil.example",
}


@pytest.mark.parametrize(
    ("hops", "address", "root"),
    [
        (None, "127.0.0.1", "http://localhost/"),
        (0, "127.0.0.1", "http://localhost/"),
        (1, "192.0.2.1", "https://jobauto.example.com/jobauto/"),
        (2, "192.0.2.66", "http://evil.example/evil/"),
    ],
    ids=[
        "nobody, where nothing is configured",
        "nobody",
        "the last",
        "the last two, so the first of them may say what it likes",
    ],
)
def test_who_is_believed(hops: int | None, address: str, root: str) -> None:
    assert seen_with(hops, SAID) == (address, root)


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("8.8.4.4:1234", "8.8.4.4"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:1234", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%" + "x" * 60, "fe80::1"),
        ("unknown", "127.0.0.1"),
        ("_hidden:1234", "127.0.0.1"),
        ("999.1.1.1:80", "127.0.0.1"),
    ],
)
def test_an_address_is_one_whatever_a_proxy_writes_beside_it(said: str, address: str) -> None:
    assert seen_with(1, {"X-Forwarded-For": said})[0] == address


def test_with_a_port_beside_its_address_nobody_sees_the_numbers(app: Flask) -> None:
    app.wsgi_app = ProxyFix(PlainAddress(app.wsgi_app), x_for=1)  # type: ignore[method-assign]
    for said in ("8.8.4.4:1234", "127.0.0.1:1234", "unknown"):
        assert app.test_client().get("/metrics", headers={"X-Forwarded-For": said}).status_code == 401


@pytest.mark.parametrize(
    ("line", "host", "status"),
    [
        ("/livez", "jobs.example", 200),
        ("/livez", "jobs.example:8443", 200),
        ("https://jobs.example/livez", "jobs.example", 200),
        ("https://jobs.example/livez", "JOBS.Example:8443", 200),
        ("/livez", "a.LOCAL.Example", 200),
        ("https://evil.example/livez", "jobs.example", 400),
        ("https://jobs.example@evil.example/livez", "jobs.example", 400),
        ("https://[/livez", "jobs.example", 400),
        ("/livez", "evil.example", 400),
        ("/livez", None, 400),
    ],
)
def test_a_request_names_one_host_that_is_ours(line: str, host: str | None, status: int) -> None:
    app = create_app(KNOWN | {"TRUSTED_HOSTS": "Jobs.example,.local.example,127.0.0.1"})
    environ = create_environ("/livez", "http://127.0.0.1/") | {"RAW_URI": line, "HTTP_HOST": host}
    if host is None:
        del environ["HTTP_HOST"]
    _, found, _ = run_wsgi_app(app, environ)
    assert int(found.split()[0]) == status


def seen_with(hops: int | None, said: dict[str, str]) -> tuple[str | None, str]:
    """The address and the root of a request, as the program has them."""
    app = create_app(KNOWN | ({} if hops is None else {"PROXY_HOPS": hops}))
    seen = []
    app.before_request_funcs[None].insert(0, lambda: seen.append((request.remote_addr, request.root_url)))
    app.test_client().get("/no-such-page", headers=said)
    return seen[0]
