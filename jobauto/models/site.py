"""The inventory: places with one generation meter each."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    Index,
    String,
    Text,
    case,
    exists,
    false,
    literal,
    or_,
    text,
    true,
)
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, column_property, mapped_column

from ..extensions import Base
from .folding import fold, fold_texts
from .reading import Reading
from .types import Instant, Kwp, PrimaryKey

_SNOOZED = text("snoozed_until IS NOT NULL")
_INACTIVE = text("NOT active")

SITE_ID_LENGTH = 50
NO_SITE_IDS = (".", "..")
"""In an address they mean something else, however they are encoded."""
SITE_NAME_LENGTH = 200
GROUP_LENGTH = 100
SOURCE_LENGTH = 100
SNOOZE_REASON_LENGTH = 200
MEASURES = ("register", "interval")
COUNTS = ("up", "down")
GROUPED_BY = ("group", "source")


def _search_text(context: DefaultExecutionContext) -> str:
    given = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return fold_texts(given["site_id"], given["site_name"])


def _search_group(context: DefaultExecutionContext) -> str:
    given = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return fold(given.get("group") or "")


class Site(Base):
    """A place with one generation meter.

    ``key`` is ours and numbers the rows; ``site_id`` is the business key that people and files use. Until
    ``snoozed_until`` the site is not judged, for ``snooze_reason``; after that it is, by itself.
    ``source`` is what its readings come through, ``capacity_kwp`` None where it is not known. ``measure`` is
    one of ``MEASURES`` where somebody has said it; a site of which nobody did is a register from its first
    reading on, as ``known_measure`` says; ``counts`` is one of ``COUNTS``.
    ``search_text`` (id and name) and ``search_group`` are what searches look into: whoever changes the site
    has them follow.
    """

    __tablename__ = "site"
    __table_args__ = (
        Index("ix_site_group", "group", "site_id"),
        Index("ix_site_source", "source", "site_id"),
        Index("ix_site_name", "site_name", "site_id"),
        # What the report counts the active sites by.
        Index("ix_site_parts", "group", "source", "active"),
        Index("ix_site_inactive", "site_id", sqlite_where=_INACTIVE, postgresql_where=_INACTIVE),
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
    source: Mapped[str] = mapped_column(String(SOURCE_LENGTH), default="", server_default="")
    capacity_kwp: Mapped[Decimal | None] = mapped_column(Kwp)
    measure: Mapped[str | None] = mapped_column(String(10))
    known_measure: Mapped[str | None] = column_property(
        case(
            (measure.is_not(None), measure),
            (exists().where(Reading.site_key == key).correlate_except(Reading), literal("register")),
        ),
        deferred=True,
    )
    """Not stored: an import would have to write each new site once more."""
    counts: Mapped[str] = mapped_column(String(10), default="up", server_default="up")
    snoozed_until: Mapped[datetime | None] = mapped_column(Instant)
    snooze_reason: Mapped[str] = mapped_column(String(SNOOZE_REASON_LENGTH), default="", server_default="")
    is_demo: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    search_text: Mapped[str] = mapped_column(Text, default=_search_text, server_default="")
    search_group: Mapped[str] = mapped_column(Text, default=_search_group, server_default="")

    def is_snoozed(self, at: datetime) -> bool:
        """Whether the site is not judged at an instant because somebody has snoozed it."""
        return self.snoozed_until is not None and self.snoozed_until > at

    @classmethod
    def snoozed_at(cls, at: datetime) -> ColumnElement[bool]:
        """The same in a query; NULL, which counts as no, of a site that was never snoozed."""
        return cls.snoozed_until > at

    @classmethod
    def awake_at(cls, at: datetime) -> ColumnElement[bool]:
        """The opposite, which is true of a site that was never snoozed."""
        return or_(cls.snoozed_until.is_(None), cls.snoozed_until <= at)

    def fold_again(self) -> None:
        """Have what searches look into follow the site."""
        self.search_text = fold_texts(self.site_id, self.site_name)
        self.search_group = fold(self.group)
