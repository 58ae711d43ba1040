"""``/api/sites/`` and ``/api/readings/``."""

from collections.abc import Callable, Iterator, Sequence
from io import BytesIO

from flask import Blueprint, abort, request
from flask_login import current_user

from ...audit.service import Author
from ...clock import utcnow
from ...errors import InvalidInput
from ...extensions import db
from ...imports import readings, rows, sites
from ...imports.result import ImportResult
from ...models import Site
from ...rules.moment import Moment
from ...settings import service as settings_service
from ...sites import queries
from ..access import needs
from ..paging import page_of
from .bodies import query_of_request
from .requests import ReadingsIn, SitesIn, SitesQueryIn
from .responses import ImportOut, LineErrorOut, PageOut, SiteDetailOut, SiteOut, VerdictOut
from .spec import responses, spec

bp = Blueprint("api_fleet", __name__, url_prefix="/api")


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
    site: Site | None = db.session.scalar(queries.by_site_id(site_id))
    if site is None:
        abort(404, f"There is no site {site_id}.")
    settings = settings_service.current().settings
    verdicts = queries.verdicts(site, settings, Moment(utcnow(), settings.schedule.zone))
    judged = [VerdictOut.model_validate(verdict) for verdict in verdicts]
    return SiteDetailOut(**vars(SiteOut.model_validate(site)), verdicts=judged)


@bp.post("/sites/")
@needs("operator")
@spec.validate(json=SitesIn, resp=responses(ImportOut, 413, 415, 422), skip_validation=True)
def site_import() -> ImportOut:
    """Add or change sites: one object or a list. Each row is taken or rejected on its own."""
    author = Author(current_user.username, utcnow())
    return _import(sites.REQUIRED, sites.OPTIONAL, lambda source: sites.import_sites(source, author=author))


@bp.post("/readings/")
@needs("operator")
@spec.validate(json=ReadingsIn, resp=responses(ImportOut, 413, 415, 422), skip_validation=True)
def reading_import() -> ImportOut:
    """Add readings: a JSON list, or CSV. Each row is taken or rejected on its own."""
    zone = settings_service.current().settings.schedule.zone
    return _import(
        readings.COLUMNS, (), lambda source: readings.import_readings(source, zone=zone, now=utcnow())
    )


def _import(
    required: Sequence[str],
    optional: Sequence[str],
    load: Callable[[Iterator[rows.Row | rows.Rejected]], ImportResult],
) -> ImportOut:
    try:
        result = load(_source(required, optional))
    except rows.FileError as error:
        raise InvalidInput(str(error)) from error
    return ImportOut(
        new=result.new,
        updated=result.updated,
        unchanged=result.unchanged,
        rejected=result.rejected,
        errors=[LineErrorOut(line=row.line, error=row.reason) for row in result.errors],
    )


def _source(required: Sequence[str], optional: Sequence[str]) -> Iterator[rows.Row | rows.Rejected]:
    db.session.rollback()  # as in the gate: the body may come slowly
    if request.mimetype == "text/csv":
        return rows.from_csv(BytesIO(request.get_data()), required, optional)
    if not request.is_json:
        abort(415, "Send JSON or CSV, with the header Content-Type: application/json or text/csv.")
    return rows.from_json(request.get_data(), required, optional)
