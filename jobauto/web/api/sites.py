"""``/api/sites/``."""

from functools import partial

from flask import Blueprint

from ...clock import utcnow
from ...imports import sites
from ...rules.moment import Moment
from ...settings import service as settings_service
from ...sites import queries
from ..access import current_author, needs
from ..lookup import site_or_404
from ..paging import page_of
from .bodies import query_of_request
from .importing import import_rows
from .requests import SitesIn, SitesQueryIn
from .responses import ImportOut, PageOut, SiteDetailOut, SiteOut, VerdictOut
from .spec import responses, spec

bp = Blueprint("api_sites", __name__, url_prefix="/api")


@bp.get("/sites/")
@spec.validate(query=SitesQueryIn, resp=responses(PageOut[SiteOut]))
def site_list() -> PageOut[SiteOut]:
    """The inventory, by site_id."""
    query: SitesQueryIn = query_of_request()
    page = page_of(queries.sites_matching(query.q), query.page, query.per_page)
    return PageOut(**vars(page) | {"items": [SiteOut.model_validate(site) for site in page.items]})


@bp.get("/sites/<site_id:site_id>")
@spec.validate(resp=responses(SiteDetailOut, 404))
def site_detail(site_id: str) -> SiteDetailOut:
    """One site with what each rule says of it now."""
    site = site_or_404(site_id)
    settings = settings_service.current().settings
    verdicts = queries.verdicts(site, settings, Moment(utcnow(), settings.schedule.zone))
    judged = [VerdictOut.model_validate(verdict) for verdict in verdicts]
    return SiteDetailOut(**vars(SiteOut.model_validate(site)), verdicts=judged)


@bp.post("/sites/")
@needs("operator")
@spec.validate(json=SitesIn, resp=responses(ImportOut, 413, 415, 422), skip_validation=True)
def site_import() -> ImportOut:
    """Add or change sites: one object or a list. Each row is taken or rejected on its own."""
    author = current_author()
    result = import_rows(sites.from_csv, sites.from_json, partial(sites.import_sites, author=author))
    return ImportOut.of(result)
