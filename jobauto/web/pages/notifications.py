"""Who is told: seen by everybody without the addresses themselves, changed by admins."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...audit import queries as audit
from ...errors import InvalidInput
from ...extensions import db
from ...models import Address
from ...notifications import addresses, queries
from ...notifications.channels import BadAddress
from ...notifications.encryption import can_decrypt
from ...work import broker, tasks
from ..access import current_author, needs
from ..forms.notifications import KIND_LABELS, AddressForm, NewAddressForm, form_of, told_of
from ..paging import asked_page, page_of

bp = Blueprint("notifications", __name__, url_prefix="/settings/notifications")

DONE = {
    "change": "Saved.",
    "test": "The test is on its way. What became of it is seen below.",
    "switch-on": "Switched on.",
    "switch-off": "Switched off. Nothing is sent there until it is switched on again.",
    "remove": "Removed.",
}
"""The actions of an address's page, and what is said when one is done."""


@bp.get("/")
def index() -> ResponseReturnValue:
    """All addresses, and the form for a new one."""
    return _list(NewAddressForm())


@bp.post("/")
@needs("admin")
def add() -> ResponseReturnValue:
    """Take a new address."""
    form = NewAddressForm()
    if not form.validate():
        return _list(form), 422
    try:
        address_id = addresses.add(
            form.kind.data,
            form.label.data or "",
            form.url.data or "",
            problems=form.wants_problems.data,
            digest=form.wants_digest.data,
            author=current_author(),
        )
    except BadAddress as error:
        form.url.errors = [str(error)]
        return _list(form), 422
    flash("Added. Press Send a test to see whether messages arrive.", "success")
    return redirect(url_for(".show", address_id=address_id))


@bp.get("/<int:address_id>")
def show(address_id: int) -> ResponseReturnValue:
    """One address: what it is told, and what became of each message."""
    address = db.session.get(Address, address_id)
    if address is None or address.removed_at is not None:
        abort(404, f"There is no address {address_id}.")
    return render_template(
        "notifications/show.html",
        address=address,
        kind_label=KIND_LABELS[address.kind],
        told_of=told_of,
        opens=can_decrypt(address.sealed),
        form=form_of(address),
        page=page_of(queries.messages_of(address_id), *asked_page()),
        history=db.session.scalars(audit.events_for("address", address_id)).all(),
    )


@bp.post("/<int:address_id>")
@needs("admin")
def change(address_id: int) -> ResponseReturnValue:
    """Take one of the page's forms; its ``action`` tells which."""
    action = request.form.get("action", "")
    if action not in DONE:
        raise InvalidInput(f"There is no action {action}.", status=400)
    _apply(address_id, action)
    flash(DONE[action], "success")
    return redirect(url_for(".index") if action == "remove" else url_for(".show", address_id=address_id))


def _apply(address_id: int, action: str) -> None:
    if action == "change":
        form = AddressForm()
        wanted = {"problems": form.wants_problems.data, "digest": form.wants_digest.data}
        addresses.change(address_id, **wanted, author=current_author())
    elif action == "test":
        addresses.test(address_id, author=current_author())
        broker.enqueue(tasks.SEND_MESSAGES)
    elif action == "remove":
        addresses.remove(address_id, author=current_author())
    else:
        addresses.set_active(address_id, action == "switch-on", author=current_author())


def _list(form: NewAddressForm) -> str:
    found = db.session.scalars(queries.addresses()).all()
    newest = db.session.scalars(queries.last_settled()).all()
    return render_template(
        "notifications/index.html",
        form=form,
        addresses=found,
        told_of=told_of,
        sealed_for_ever={address.id for address in found if not can_decrypt(address.sealed)},
        last={message.address_id: message for message in newest},
    )
