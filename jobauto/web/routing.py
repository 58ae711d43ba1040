"""Addresses that carry a key: the number of a row, a name, or a site's business key, ``/`` included."""

from urllib.parse import quote

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, IntegerConverter, UnicodeConverter, ValidationError

from ..models.site import NO_SITE_IDS, SITE_ID_LENGTH


class IdConverter(IntegerConverter):
    """``<int:run_id>``: a number that the database can hold; there is no page for a larger one."""

    regex = "[0-9]{1,18}"


class NameConverter(UnicodeConverter):
    """``<name>``: a text that the database can be asked for; there is no page for one with NUL."""

    def to_python(self, value: str) -> str:
        """The name."""
        if "\0" in value:
            raise ValidationError
        return value


class SiteIdConverter(BaseConverter):
    """``<site_id:site_id>``: everything up to the end of the address, less one final slash.

    A site_id that itself ends in a slash therefore has one more in its address.
    """

    regex = ".+"
    part_isolating = False

    def to_python(self, value: str) -> str:
        """The site_id; there is no page for what no site can be called."""
        site_id = value.removesuffix("/")
        if not (1 <= len(site_id) <= SITE_ID_LENGTH and site_id.isprintable()) or site_id in NO_SITE_IDS:
            raise ValidationError
        return site_id

    def to_url(self, value: str) -> str:
        """Percent-encoded, ``/`` included."""
        return quote(value, safe="") + ("/" if value.endswith("/") else "")


def page_at(path: str) -> str | None:
    """The address of the page that stands where a form was sent to; None where there is none."""
    adapter = current_app.create_url_adapter(request)
    try:
        if adapter is None:
            return None
        adapter.match(path, "GET")
    except HTTPException:
        return None
    return request.root_path + quote(path)
