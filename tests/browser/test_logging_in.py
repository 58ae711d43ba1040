"""The steps of a login in a real browser, which holds pages to their policy: pictures, redirects, logout."""

import re

import pytest
from flask import Flask
from playwright.sync_api import Page

from jobauto.audit.service import Author
from jobauto.auth.service import set_password
from jobauto.clock import utcnow
from tests.auth.issuer import CLIENT_ID, CLIENT_SECRET, issuing
from tests.auth.second_factors import Phone
from tests.browser.conftest import Visit
from tests.browser.visitor import violations
from tests.people import PASSWORD

pytestmark = pytest.mark.process

NEW = "another horse, another battery"


@pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without"])
def test_a_second_factor_is_set_up_at_the_login(app: Flask, visit: Visit, script: bool) -> None:
    app.config["SECOND_FACTOR_ROLES"] = ["admin"]
    ada = visit(logged_in_as=None, java_script_enabled=script, viewport={"width": 375, "height": 800})
    page = ada.open("/login")
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    picture = page.get_by_role("img", name="QR code")
    picture.wait_for()
    box = picture.bounding_box()
    assert box is not None
    assert 150 < box["width"] < 375
    key = page.locator("code.secret").inner_text().replace(" ", "")
    page.get_by_label("Code that the app shows now").fill(Phone(key).code())
    page.get_by_role("button", name="Switch it on").click()
    page.get_by_role("link", name="go on").click()
    page.get_by_role("heading", name="Dashboard").wait_for()


def test_axe_finds_nothing_on_the_steps_of_a_login(app: Flask, visit: Visit, axe: str) -> None:
    app.config["SECOND_FACTOR_ROLES"] = ["viewer"]
    set_password("vera", PASSWORD, Author("ada", utcnow()), must_change=True)
    visitor = visit(logged_in_as=None, bypass_csp=True)
    found = violations(visitor.open("/login/logged-out"), axe)

    def log_in(password: str) -> Page:
        page = visitor.open("/login")
        found.extend(violations(page, axe))
        page.get_by_label("User name").fill("vera")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()
        return page

    page = log_in(PASSWORD)
    page.get_by_role("img", name="QR code").wait_for()
    found += violations(page, axe)
    phone = Phone(page.locator("code.secret").inner_text().replace(" ", ""))
    page.get_by_label("Code that the app shows now").fill(phone.code())
    page.get_by_role("button", name="Switch it on").click()
    page.get_by_role("link", name="go on").wait_for()
    found += violations(page, axe)
    page.get_by_role("link", name="go on").click()
    page.get_by_label("New password").wait_for()
    found += violations(page, axe)
    page.get_by_label("New password").fill(NEW)
    page.get_by_label("Once more").fill(NEW)
    page.get_by_role("button", name="Change password and log in").click()
    page.get_by_role("button", name="Log out").click()
    page = log_in(NEW)
    page.get_by_label("Code").wait_for()
    assert found + violations(page, axe) == []


def test_one_logs_in_and_out_at_an_issuer(app: Flask, visit: Visit, address: str) -> None:
    with issuing() as issuer:
        issuer.callback = f"{address}/login/single-sign-on/callback"
        app.config |= {
            "PUBLIC_URL": address,
            "OIDC_ISSUER": issuer.url,
            "OIDC_CLIENT_ID": CLIENT_ID,
            "OIDC_CLIENT_SECRET": CLIENT_SECRET,
            "OIDC_ROLES": {"staff": "viewer"},
        }
        page = visit(logged_in_as=None).open("/login?next=/jobs/")
        page.get_by_role("link", name="Log in with single sign-on").click()
        page.get_by_role("heading", name="Jobs", exact=True).wait_for()
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url(re.compile(re.escape(issuer.url)))
        assert issuer.asked[-1] == "/logout", "though no form may lead to another site"
