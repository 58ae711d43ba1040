"""Addresses that carry a site's business key: every site that can be has one, and nothing else does."""

import pytest
from werkzeug.routing import Map, ValidationError

from jobauto.web.routing import SiteIdConverter
from tests.people import Person


@pytest.mark.parametrize("site_id", ["S1", "a/b", "...", ".a", "..a", "../", "a/.."])
def test_what_a_site_can_be_called_has_an_address(site_id: str) -> None:
    converter = SiteIdConverter(Map())

    assert converter.to_python(f"{site_id}/") == site_id


@pytest.mark.parametrize("site_id", [".", "..", "", "x" * 51, "a\n"])
def test_what_no_site_can_be_called_has_none(site_id: str) -> None:
    converter = SiteIdConverter(Map())

    for address in (site_id, f"{site_id}/"):
        with pytest.raises(ValidationError):
            converter.to_python(address)


@pytest.mark.parametrize("address", ["/users/a%00", "/account/mail/%00", "/policies/%00", "/profiles/%00/"])
def test_a_name_with_nul_has_no_address(ada: Person, address: str) -> None:
    assert ada.get(address).status_code == 404
    assert ada.post(address, action="x").status_code in (404, 405)
