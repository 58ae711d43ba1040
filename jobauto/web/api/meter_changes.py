"""``/api/sites/SITE_ID/meter-changes/``."""

from flask import Blueprint, abort
from flask.typing import ResponseReturnValue

from ...clock import utcnow
from ...models import MeterChange
from ...readings import meter_changes
from ..access import current_author, needs
from ..lookup import get_or_404, site_or_404
from ..paging import PageIn, page_of
from .bodies import body_of_request, check_body, query_of_request, read_instant
from .requests import MeterChangeIn
from .responses import MeterChangeOut, PageOut
from .spec import responses, spec

bp = Blueprint("api_meter_changes", __name__, url_prefix="/api/sites")
bp.before_request(check_body)


@bp.get("/<site_id:site_id>/meter-changes/")
@spec.validate(query=PageIn, resp=responses(PageOut[MeterChangeOut], 404))
def change_list(site_id: str) -> PageOut[MeterChangeOut]:
    """The recorded meter changes of a site, newest first."""
    query: PageIn = query_of_request()
    page = page_of(meter_changes.of_site(site_or_404(site_id).key), query.page, query.per_page)
    return PageOut(**vars(page) | {"items": [MeterChangeOut.of(change) for change in page.items]})


@bp.post("/<site_id:site_id>/meter-changes/")
@needs("operator")
@spec.validate(json=MeterChangeIn, resp=responses(MeterChangeOut, 404, 405, 413, 415, 422))
def change_record(site_id: str) -> MeterChangeOut:
    """Record a meter change, or replace the one of the same instant."""
    wanted: MeterChangeIn = body_of_request()
    change = meter_changes.Change(
        read_instant(
            "changed_at", wanted.changed_at, now=utcnow(), refused="The meter change was not recorded."
        ),
        wanted.closing,
        wanted.opening,
        (wanted.serial or "").strip(),
    )
    number = meter_changes.record_change(site_or_404(site_id), change, author=current_author())
    return MeterChangeOut.of(get_or_404(MeterChange, number, "meter change"))


@bp.delete("/<site_id:site_id>/meter-changes/<int:change_id>/")
@needs("operator")
@spec.validate(resp=responses(None, 404, 405, status=204))
def change_delete(site_id: str, change_id: int) -> ResponseReturnValue:
    """Take a meter change back."""
    try:
        meter_changes.delete_change(site_or_404(site_id), change_id, author=current_author())
    except meter_changes.UnknownMeterChange as error:
        abort(404, str(error))
    return "", 204
