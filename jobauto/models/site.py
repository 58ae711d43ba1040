"""The inventory: places with one generation meter each."""

from datetime import date, datetime

from sqlalchemy import Boolean, Date, Index, String, false, text, true
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Base
from .types import Instant, PrimaryKey

_SNOOZED = text("snoozed_until IS NOT NULL")

SITE_ID_LENGTH = 50
NO_SITE_IDS = (".", "..")
"""In an address they mean something else, however they are encoded."""
SITE_NAME_LENGTH = 200
GROUP_LENGTH = 100
SNOOZE_REASON_LENGTH = 200


class Site(Base):
    """A place with one generation meter.

    ``key`` is ours and numbers the rows; ``site_id`` is the business key that people and files use. Until
    ``snoozed_until`` the site is not judged, for ``snooze_reason``; after that it is, by itself.
    """

    __tablename__ = "site"
    __table_args__ = (
        Index("ix_site_group", "group"),
        Index(
            "ix_site_snoozed",
            "snoozed_until",
            sqlite_where=_SNOOZED,
            postgresql_where=_SNOOZED,
        ),
        Index("ix_site_is_demo", "is_demo", sqlite_where=text("is_demo"), postgresql_where=text("is_demo")),
    )

    key: Mapped[int] = mapped_column(PrimaryKey, primary_key=True)
    site_id: Mapped[str] = mapped_column(String(SITE_ID_LENGTH), unique=True)
    site_name: Mapped[str] = mapped_column(String(SITE_NAME_LENGTH))
    monitored_from: Mapped[date | None] = mapped_column(Date)
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    group: Mapped[str] = mapped_column(String(GROUP_LENGTH), default="", server_default="")
    snoozed_until: Mapped[datetime | None] = mapped_column(Instant)
    snooze_reason: Mapped[str] = mapped_column(String(SNOOZE_REASON_LENGTH), default="", server_default="")
    is_demo: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
