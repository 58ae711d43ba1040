"""``/api/sites/``."""

from datetime import UTC, datetime
from functools import partial

from flask import Blueprint
from sqlalchemy.orm import undefer

from ...clock import utcnow
from ...imports import sites
from ...jobs import incidents
from ...models import Site
from ...settings import service as settings_service
from ...sites import queries
from ..access import current_author, ingests, needs
from ..lookup import site_or_404
from ..paging import page_of
from .bodies import query_of_request, read_instant
from .importing import import_rows
from .requests import ReadingsQueryIn, SitesIn, SitesQueryIn
from .responses import ImportOut, PageOut, ReadingOut, SiteDetailOut, SiteOut, VerdictOut
from .spec import responses, spec

FAR_AHEAD = datetime(9000, 1, 1, tzinfo=UTC)
"""What is asked for may lie in the future, where a reading may not."""

bp = Blueprint("api_sites", __name__, url_prefix="/api")


@bp.get("/sites/")
@ingests
@spec.validate(query=SitesQueryIn, resp=responses(PageOut[SiteOut]))
def site_list() -> PageOut[SiteOut]:
    """The inventory, by site_id."""
    query: SitesQueryIn = query_of_request()
    matching = queries.sites_matching(query.q, after=query.after).options(undefer(Site.known_measure))
    page = page_of(matching, query.page, query.per_page)
    return PageOut(**vars(page) | {"items": [SiteOut.model_validate(site) for site in page.items]})


@bp.get("/sites/<site_id:site_id>/readings/")
@ingests
@spec.validate(query=ReadingsQueryIn, resp=responses(PageOut[ReadingOut], 404))
def reading_list(site_id: str) -> PageOut[ReadingOut]:
    """A site's readings, newest first."""
    query: ReadingsQueryIn = query_of_request()
    start, end = _instant("from", query.start), _instant("to", query.end)
    site = site_or_404(site_id)
    page = page_of(queries.readings_between(site, start, end), query.page, query.per_page)
    is_interval = site.measure == "interval"
    found = [ReadingOut.of(reading, is_interval=is_interval) for reading in page.items]
    return PageOut(**vars(page) | {"items": found})


def _instant(name: str, text: str) -> datetime | None:
    return read_instant(name, text, now=FAR_AHEAD, status=400) if text else None


@bp.get("/sites/<site_id:site_id>")
@spec.validate(resp=responses(SiteDetailOut, 404))
def site_detail(site_id: str) -> SiteDetailOut:
    """One site with what each rule says of it now."""
    site = site_or_404(site_id)
    effective = settings_service.current().policies.effective(site.site_id, site.group)
    verdicts = queries.verdicts(site, effective.combined, effective.settings.moment(utcnow()))
    judged = [VerdictOut.model_validate(verdict) for verdict in verdicts]
    known = vars(SiteOut.model_validate(site))
    return SiteDetailOut(
        **known, verdicts=judged, covered_by=incidents.covering(site), effective=effective.sources()
    )


@bp.post("/sites/")
@needs("operator")
@ingests
@spec.validate(json=SitesIn, resp=responses(ImportOut, 413, 415, 422), skip_validation=True)
def site_import() -> ImportOut:
    """Add or change sites: one object or a list. Each row is taken or rejected on its own."""
    author = current_author()
    result = import_rows(sites.from_csv, sites.from_json, partial(sites.import_sites, author=author))
    return ImportOut.of(result)
