"""What an import says of its sites: what their values are, and what they come through.

A site of which nobody has said what its values are is claimed by the first import of energies of intervals,
in the very transaction that stores them.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, exists, func, insert, select, update

from ..audit.service import Author
from ..models import Event, Import, Reading, Site
from ..storage.among import is_among
from ..storage.connections import write_on
from .bulk import Tail

AT_A_TIME = 500


class OtherMeasure(Exception):
    """The values of these sites were read as what they are not any more, so none was stored."""

    def __init__(self, site_keys: Collection[int]) -> None:
        super().__init__(site_keys)
        self.site_keys = site_keys


class Compared(NamedTuple):
    """Sites that are to be claimed; and those whose values were read as what they are not."""

    unset: set[int]
    others: set[int]


def compare(tails: Iterable[Tail], intervals: Collection[int]) -> Compared:
    """Compare sites, whose turn it is, with how they were read: some as ``intervals``, the others not."""
    unset: set[int] = set()
    others: set[int] = set()
    for tail in tails:
        if (tail.measure == "interval") != (tail.site_key in intervals):
            is_free = tail.measure is None and tail.at is None
            (unset if is_free else others).add(tail.site_key)
    return Compared(unset, others)


def claim(connection: Connection, site_keys: Collection[int]) -> None:
    """Sites that have neither a measure nor readings are of intervals from now on."""
    if site_keys:
        of_sites = is_among(connection, Site.key, sorted(site_keys))
        connection.execute(update(Site).where(of_sites, Site.measure.is_(None)).values(measure="interval"))


def give_source(
    connection: Connection, site_keys: Collection[int], source: str, import_id: int | None, now: datetime
) -> None:
    """Sites that have no source get this one from an import, and their histories say so."""
    keys = sorted(site_keys)
    for start in range(0, len(keys), AT_A_TIME):
        free = (Site.key.in_(keys[start : start + AT_A_TIME]), Site.source == "")
        with write_on(connection):
            given = update(Site).where(*free).values(source=source).returning(Site.site_id.expression)
            names = connection.scalars(given).all()
            if names:
                who, token = _author(connection, import_id)
                _keep_source(connection, names, Author(who, now, token), ("", source))


def _author(connection: Connection, import_id: int | None) -> tuple[str | None, str | None]:
    author = select(func.coalesce(Import.decided_by, Import.requested_by), Import.token)
    found = connection.execute(author.where(Import.id == import_id)).one_or_none()
    return (None, None) if found is None else (found[0], found[1])


def take_source_back(
    connection: Connection, site_keys: Collection[int], received: Collection[datetime], author: Author
) -> None:
    """Sites without readings lose a source that an import gave them, if nobody has changed it since.

    It gave it when it ``received`` them.
    """
    has_readings = exists().where(Reading.site_key == Site.key)
    emptied = select(Site.site_id, Site.source).where(Site.key.in_(site_keys), ~has_readings)
    sources = {name: source for name, source in connection.execute(emptied.where(Site.source != ""))}  # noqa: C416 (rows are no pairs to mypy)
    if not sources:
        return
    told = select(Event.subject_id, Event.at, Event.before, Event.after).where(
        Event.subject == "site", Event.subject_id.in_(sources), Event.field == "source"
    )
    newest = {name: change for name, *change in connection.execute(told.order_by(Event.id))}
    for source in sorted(set(sources.values())):
        names = sorted(
            name
            for name, (at, before, after) in newest.items()
            if (before, after, sources[name]) == ("", source, source) and at in received
        )
        where = (Site.key.in_(site_keys), Site.site_id.in_(names))
        if names:
            connection.execute(update(Site).where(*where).values(source=""))
            _keep_source(connection, names, author, (source, ""))


def _keep_source(
    connection: Connection, site_ids: Collection[str], author: Author, change: tuple[str, str]
) -> None:
    """Keep in the histories of sites that their source has changed from one to the other."""
    made_by = {"at": author.now, "who": author.name, "token": author.token}
    what = {"subject": "site", "field": "source", "before": change[0], "after": change[1]}
    rows = [{**made_by, **what, "subject_id": site_id} for site_id in site_ids]
    connection.execute(insert(Event), rows)
