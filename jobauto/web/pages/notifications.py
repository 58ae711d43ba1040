"""Notification channels: seen by everybody without their URLs, changed by admins."""

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...audit import queries as audit
from ...errors import InvalidInput
from ...extensions import db
from ...models import Channel
from ...notifications import channels, destinations, queries
from ...notifications.encryption import can_decrypt, needs_former_key
from ...notifications.services import SERVICES, BadUrl
from ...storage.configuration import send_to
from ...work import broker, tasks
from ..access import current_author, needs
from ..forms.notifications import (
    KIND_LABELS,
    ChannelForm,
    NewChannelForm,
    StateForm,
    describe_wants,
    form_of,
)
from ..paging import asked_page, page_of
from ..recent_login import asked_for, refused_without

bp = Blueprint("notifications", __name__, url_prefix="/settings/notifications")

DONE = {
    "change": "Saved.",
    "test": "The test is on its way. What became of it is seen below.",
    "switch-on": "Switched on.",
    "switch-off": "Switched off. Nothing is sent there until it is switched on again.",
    "remove": "Removed.",
}
"""The actions of a channel's page, and what is said when one is done."""

FORMS: dict[str, type[ChannelForm | StateForm]] = {
    "change": ChannelForm,
    "switch-on": StateForm,
    "switch-off": StateForm,
    "remove": StateForm,
}
"""Those that say who is told, or silence a channel, and so need a recent login."""


@bp.get("/")
def index() -> ResponseReturnValue:
    """All channels, and the form for a new one."""
    return _list(NewChannelForm())


@bp.post("/")
@needs("admin")
def add() -> ResponseReturnValue:
    """Take a new channel."""
    form = NewChannelForm()
    if not form.validate():
        return _list(form), 422
    if refused := refused_without(form.confirm):
        return _list(form), *refused
    try:
        channel_id = channels.add(
            form.kind.data,
            form.label.data or "",
            form.url.data or "",
            problems=form.wants_problems.data,
            digest=form.wants_digest.data,
            author=current_author(),
        )
    except BadUrl as error:
        form.url.errors = [str(error)]
        return _list(form), 422
    flash("Added. Press Send a test to see whether messages arrive.", "success")
    return redirect(url_for(".show", channel_id=channel_id))


@bp.get("/<int:channel_id>")
def show(channel_id: int) -> ResponseReturnValue:
    """One channel: what it receives, and what became of each message."""
    return _channel(channel_id)


def _channel(channel_id: int, typed: ChannelForm | StateForm | None = None) -> str:
    channel = db.session.get(Channel, channel_id)
    if channel is None or channel.removed_at is not None or channel.kind == "person":
        abort(404, f"There is no channel {channel_id}.")
    return render_template(
        "notifications/show.html",
        channel=channel,
        kind_label=KIND_LABELS[channel.kind],
        describe_wants=describe_wants,
        opens=can_decrypt(channel.encrypted_url),
        needs_former_key=needs_former_key(channel.encrypted_url),
        needs=_needs([channel]),
        form=typed if isinstance(typed, ChannelForm) else form_of(channel),
        state_form=typed if isinstance(typed, StateForm) else StateForm(formdata=None),
        asks_for=asked_for(),
        page=page_of(queries.messages_for(channel_id), *asked_page()),
        history=db.session.scalars(audit.newest_events_for("address", channel_id)).all()[::-1],
    )


@bp.post("/<int:channel_id>")
@needs("admin")
def change(channel_id: int) -> ResponseReturnValue:
    """Take one of the page's forms; its ``action`` tells which."""
    action = request.form.get("action", "")
    if action not in DONE:
        raise InvalidInput(f"There is no action {action}.", status=400)
    form = FORMS[action]() if action in FORMS else None
    if form is not None and (refused := refused_without(form.confirm)):
        return _channel(channel_id, form), *refused
    _apply(channel_id, action, form)
    flash(DONE[action], "success")
    return redirect(url_for(".index") if action == "remove" else url_for(".show", channel_id=channel_id))


def _apply(channel_id: int, action: str, form: ChannelForm | StateForm | None) -> None:
    if isinstance(form, ChannelForm):
        wanted = {"problems": form.wants_problems.data, "digest": form.wants_digest.data}
        channels.change(channel_id, **wanted, author=current_author())
    elif action == "test":
        channels.test(channel_id, author=current_author())
        broker.enqueue(tasks.SEND_MESSAGES)
    elif action == "remove":
        channels.remove(channel_id, author=current_author())
    else:
        channels.set_active(channel_id, action == "switch-on", author=current_author())


def _needs(found: Iterable[Channel]) -> dict[str, Any]:
    needs = destinations.needs_of(found, send_to())
    return {
        "by_id": needs,
        "to_set": destinations.what_to_set((need.host for need in needs.values()), send_to()),
    }


def _list(form: NewChannelForm) -> str:
    found = db.session.scalars(queries.channels()).all()
    newest = db.session.scalars(queries.last_settled()).all()
    return render_template(
        "notifications/index.html",
        form=form,
        asks_for=asked_for(),
        channels=found,
        describe_wants=describe_wants,
        needs=_needs(found),
        services=[schemes[0] for schemes in SERVICES],
        under_former_key=[channel for channel in found if needs_former_key(channel.encrypted_url)],
        undecryptable={channel.id for channel in found if not can_decrypt(channel.encrypted_url)},
        last={message.channel_id: message for message in newest},
    )
