"""Forms that people have sent: so that none is taken twice, and nothing typed is lost."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Base
from .types import Instant, PrimaryKey

PATH_LENGTH = 500


class SentForm(Base):
    """A form that somebody sent a moment ago, so that the same again does nothing.

    ``digest`` is a keyed hash of who sent what to where. ``location`` is where it led, with the ``messages``
    that were said (category, text); empty while the first one is still worked on.
    """

    __tablename__ = "sent_form"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    sent_at: Mapped[datetime] = mapped_column(Instant, index=True)
    location: Mapped[str | None] = mapped_column(Text)
    messages: Mapped[list[list[str]]] = mapped_column(JSON)


class Draft(Base):
    """What a person sent after the session had ended: (name, value) of each field, until it is sent again.

    ``path`` is the address of its form. Passwords and other secrets are never kept.
    """

    __tablename__ = "draft"

    user_id: Mapped[int] = mapped_column(
        PrimaryKey, ForeignKey("user.id"), primary_key=True, autoincrement=False
    )
    path: Mapped[str] = mapped_column(String(PATH_LENGTH), primary_key=True)
    fields: Mapped[list[list[str]]] = mapped_column(JSON)
    kept_at: Mapped[datetime] = mapped_column(Instant, index=True)
