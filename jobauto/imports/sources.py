"""The source that an import gives to those of its sites that have none, and what an undo makes of it.

What was given is kept with the import's sites (``source_given_at``). Once that import is taken back, a site
has the source that the next one of the others would have given it, which counts as its giver from then on.
Where there is none, the site has none again. A source that somebody has changed since stays.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, or_, select, update

from ..audit.service import Author
from ..models import Event, Import, ImportSite, ProfileVersion, Site
from ..storage.connections import write_on
from ..storage.regroupings import regrouped

AT_A_TIME = 500


def may_give(connection: Connection, site_keys: Collection[int]) -> bool:
    """Whether some of the sites have no source."""
    keys = sorted(site_keys)
    for start in range(0, len(keys), AT_A_TIME):
        free = select(Site.key).where(Site.key.in_(keys[start : start + AT_A_TIME]), Site.source == "")
        with connection.begin():
            if connection.scalar(free.limit(1)) is not None:
                return True
    return False


def give(
    connection: Connection, site_keys: Collection[int], source: str, import_id: int | None, now: datetime
) -> int:
    """Sites that have no source get this one from an import, and their histories say so; returns how many."""
    keys, count = sorted(site_keys), 0
    for start in range(0, len(keys), AT_A_TIME):
        free = (Site.key.in_(keys[start : start + AT_A_TIME]), Site.source == "")
        with write_on(connection):
            given = update(Site).where(*free).values(source=source)
            found = connection.execute(given.returning(Site.key.expression, Site.site_id.expression)).all()
            if found:
                regrouped(connection)
                who, token = _author(connection, import_id)
                names = [row.site_id for row in found]
                _record(connection, names, Author(who, now, token), ("", source))
                keep_given(connection, import_id, dict.fromkeys((row.key for row in found), now))
        count += len(found)
    return count


def keep_given(connection: Connection, import_id: int | None, given: dict[int, datetime]) -> None:
    """Keep with an import which of its sites have their source from it, and since when."""
    sites: defaultdict[datetime, list[int]] = defaultdict(list)
    for key, at in given.items():
        sites[at].append(key)
    for at, keys in sites.items():
        for start in range(0, len(keys), AT_A_TIME):
            of_sites = ImportSite.site_key.in_(keys[start : start + AT_A_TIME])
            where = (ImportSite.import_id == import_id, of_sites)
            connection.execute(update(ImportSite).where(*where).values(source_given_at=at))


def given_by(
    connection: Connection, import_id: int | None, among: Collection[int] | None = None
) -> dict[int, datetime]:
    """Which sites, of all or among these, have their source from an import, and since when."""
    found = select(ImportSite.site_key, ImportSite.source_given_at).where(
        ImportSite.import_id == import_id, ImportSite.source_given_at.is_not(None)
    )
    found = found if among is None else found.where(ImportSite.site_key.in_(among))
    return {key: at for key, at in connection.execute(found.distinct()) if at is not None}


def take_back(connection: Connection, import_id: int, site_keys: Collection[int], author: Author) -> None:
    """Give what an import gave to some sites over to the next import that would have, or take it away."""
    standing = _standing(connection, given_by(connection, import_id, site_keys))
    if not standing:
        return
    givers = _later_givers(connection, import_id, [site.key for site in standing])
    handed_on: defaultdict[int, dict[int, datetime]] = defaultdict(dict)
    changes: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for site in standing:
        giver = givers.get(site.key)
        is_same = giver is not None and giver.source == site.source
        if giver:
            handed_on[giver.import_id][site.key] = site.at if is_same else author.now
        if not is_same:
            changes[site.source, giver.source if giver else ""].append(site.key)
    for giver_id, given in handed_on.items():
        keep_given(connection, giver_id, given)
    if changes:
        regrouped(connection)
    for (before, after), keys in changes.items():
        changed = update(Site).where(Site.key.in_(keys), Site.source == before).values(source=after)
        names = connection.scalars(changed.returning(Site.site_id.expression)).all()
        if names:
            _record(connection, sorted(names), author, (before, after))


class _Given(NamedTuple):
    """A site that has the source that an import gave it at an instant."""

    key: int
    site_id: str
    source: str
    at: datetime


class _Giver(NamedTuple):
    import_id: int
    source: str


def _standing(connection: Connection, given: dict[int, datetime]) -> list[_Given]:
    """Of the sites that got their source at these instants, those whose source nobody has changed since."""
    if not given:
        return []
    found = connection.execute(
        select(Site.key, Site.site_id, Site.source).where(Site.key.in_(given), Site.source != "")
    ).all()
    told = select(Event.subject_id, Event.at, Event.after).where(
        Event.subject == "site",
        Event.subject_id.in_([row.site_id for row in found]),
        Event.field == "source",
    )
    newest = {name: (at, after) for name, at, after in connection.execute(told.order_by(Event.id))}
    every = [_Given(key, site_id, source, given[key]) for key, site_id, source in found]
    return [site for site in every if newest.get(site.site_id) == (site.at, site.source)]


def _later_givers(connection: Connection, import_id: int, site_keys: Collection[int]) -> dict[int, _Giver]:
    """By site, the first of the imports after this one that would have given it a source."""
    own = (ImportSite.import_id == import_id, ImportSite.site_key.in_(site_keys))
    since = connection.scalar(select(func.min(ImportSite.received)).where(*own))
    if since is None:
        return {}
    others = (
        Import.id != import_id,
        Import.profile.is_not(None),
        Import.status.in_(("running", "finished", "failed", "canceled")),
        or_(Import.finished_at.is_(None), Import.finished_at >= since),
        Import.undone_at.is_(None),
    )
    received = func.min(ImportSite.received).label("received")
    of_sites = (ImportSite.site_key, Import.id, Import.profile, Import.profile_version)
    found = connection.execute(
        select(*of_sites, received)
        .join(Import, Import.id == ImportSite.import_id)
        .where(ImportSite.site_key.in_(site_keys), *others)
        .group_by(*of_sites)
        .order_by("received", Import.id)
    ).all()
    said = _said(connection, {(row.profile or "").lower() for row in found})
    givers: dict[int, _Giver] = {}
    for key, giver, name, version, at in found:
        source = said.get(((name or "").lower(), version or 0))
        if source and (at, giver) > (since, import_id):
            givers.setdefault(key, _Giver(giver, source))
    return givers


def _said(connection: Connection, names: Iterable[str]) -> dict[tuple[str, int], str]:
    """What profiles say of the source, by name and version; nothing of those that say none."""
    versions = select(ProfileVersion.key, ProfileVersion.version, ProfileVersion.document)
    found = connection.execute(versions.where(ProfileVersion.key.in_(names)))
    every = {(key, version): (document or {}).get("source") for key, version, document in found}
    return {which: source for which, source in every.items() if source}


def _author(connection: Connection, import_id: int | None) -> tuple[str | None, str | None]:
    author = select(func.coalesce(Import.decided_by, Import.requested_by), Import.token)
    found = connection.execute(author.where(Import.id == import_id)).one_or_none()
    return (None, None) if found is None else (found[0], found[1])


def _record(
    connection: Connection, site_ids: Collection[str], author: Author, change: tuple[str, str]
) -> None:
    """Keep in the histories of sites that their source has changed from one to the other."""
    made_by = {"at": author.now, "who": author.name, "token": author.token}
    what = {"subject": "site", "field": "source", "before": change[0], "after": change[1]}
    rows = [{**made_by, **what, "subject_id": site_id} for site_id in site_ids]
    connection.execute(insert(Event), rows)
