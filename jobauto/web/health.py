"""For machines that watch this one."""

from ipaddress import ip_address

from flask import Blueprint, Response, abort, g, jsonify, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from sqlalchemy.exc import DatabaseError

from ..clock import utcnow
from ..runs.overdue import overdue_slot
from ..storage.connections import DatabaseNotReady, require_all_machines, require_ready
from .access import require_scope
from .metrics import Numbers
from .proxies import plain_address

bp = Blueprint("health", __name__)


@bp.get("/livez")
def livez() -> ResponseReturnValue:
    """200 while the process answers; nothing is asked of the database. For whoever restarts what hangs."""
    return jsonify({"status": "ok"})


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """200 when the database answers and no daily run is overdue by more than an hour, else 503 and why."""
    try:
        require_ready()
        require_all_machines()
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
    if (token := g.get("token")) is not None:
        require_scope(token)
    registry = CollectorRegistry()
    registry.register(Numbers(utcnow(), overdue=_overdue() is not None))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _asked_from_this_machine() -> bool:
    # What a proxy on this machine passes on comes from this machine too, and says so in a header.
    address = plain_address(request.remote_addr or "")  # behind a socket there is none
    return bool(address and ip_address(address).is_loopback) and "X-Forwarded-For" not in request.headers


def _overdue() -> str | None:
    slot = overdue_slot(utcnow())
    return f"the daily run of {slot} is overdue" if slot else None
