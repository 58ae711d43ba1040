"""For machines that watch this one."""

from ipaddress import ip_address

from flask import Blueprint, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from sqlalchemy.exc import DatabaseError

from .clock import utcnow
from .database import DatabaseNotReady, require_ready
from .extensions import db
from .metrics import Numbers
from .runs import queries as runs
from .schedule import OVERDUE, due_at, owed_slot
from .settings import service as settings

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """200 when the database answers and no daily run is overdue by more than an hour, else 503 and why."""
    try:
        require_ready()
        problem = _overdue()
    except (DatabaseNotReady, DatabaseError):
        problem = "the database is not ready"
    if problem:
        return jsonify({"status": "error", "error": problem}), 503
    return jsonify({"status": "ok"})


@bp.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Numbers to alert on, in Prometheus' text format; for a token, or from this machine itself."""
    if not (current_user.is_authenticated or _asked_from_this_machine()):
        abort(401, "Send the header Authorization: Bearer TOKEN, or ask from the machine itself.")
    registry = CollectorRegistry()
    registry.register(Numbers(utcnow(), overdue=_overdue() is not None))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _asked_from_this_machine() -> bool:
    # What a proxy on this machine passes on comes from this machine too, and says so in a header.
    address = ip_address(request.remote_addr or "0.0.0.0")  # noqa: S104 (no address, not one to listen on)
    return address.is_loopback and "X-Forwarded-For" not in request.headers


def _overdue() -> str | None:
    stored, now = settings.current(), utcnow()
    schedule = stored.settings.schedule
    slot = owed_slot(schedule, stored.slots_owed_from, now)
    if slot is None or now - due_at(schedule, slot) <= OVERDUE or db.session.scalar(runs.slot_is_taken(slot)):
        return None
    return f"the daily run of {slot} is overdue"
