"""Sites that are made for a file that names them, before it is imported. An undo of it leaves them."""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from sqlalchemy import Select, select

from ..audit.queries import events_for
from ..audit.service import Author, record
from ..extensions import db
from ..models import Event, Site
from ..storage.connections import write
from .rows import Row
from .sites import OPTIONAL, import_sites

MADE = "site_made"
"""The field of an import's history that names a site which was made for it."""
MADE_FOR = "made_for"
"""The reverse, in the site's history."""


class NewSite(NamedTuple):
    """A site that is to be made: watched from the first local day that the file has of it."""

    site_id: str
    site_name: str
    monitored_from: date | None


def make_sites(sites: Collection[NewSite], import_id: int, author: Author) -> list[str]:
    """Make sites, and keep so in their histories and the import's; returns why some could not be made."""
    if not sites:
        return []
    result = import_sites([_row(line, site) for line, site in enumerate(sites, start=1)], author=author)
    refused = {row.line for row in result.errors}
    made = [site.site_id for line, site in enumerate(sites, start=1) if line not in refused]
    with write() as session:
        record(session, author, "import", import_id, [(MADE, None, site_id) for site_id in made])
        for site_id in made:
            record(session, author, "site", site_id, [(MADE_FOR, None, import_id)])
    return [row.reason for row in result.errors]


def _row(line: int, site: NewSite) -> Row:
    said = {"monitored_from": site.monitored_from.isoformat() if site.monitored_from else None}
    return Row(line, [site.site_id, site.site_name, *map(said.get, OPTIONAL)])


def made_for(import_id: int) -> Select[Site]:
    """The sites that were made for an import, by their ids."""
    events = events_for("import", import_id).where(Event.field == MADE)
    names = [event.after for event in db.session.scalars(events)]
    return select(Site).where(Site.site_id.in_(names)).order_by(Site.site_id)
