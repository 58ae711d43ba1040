"""What a login may need besides a password: its steps, a second factor, an identity at an issuer."""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Base
from .types import Instant, PrimaryKey


class PendingLogin(Base):
    """A login of which a step is left: it opens that step and nothing else, and ends soon.

    The cookie carries 256 random bits, of which only the SHA-256 is stored. Each step takes the row away.
    """

    __tablename__ = "pending_login"

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(Instant, index=True)
    by_password: Mapped[bool] = mapped_column(Boolean)
    second_factor: Mapped[bool] = mapped_column(Boolean)


class SecondFactor(Base):
    """The secret of somebody's authenticator app (TOTP), encrypted under the program's secret key.

    ``last_counter`` is the 30 seconds of the newest code that was taken: no code up to it is taken again.
    """

    __tablename__ = "second_factor"

    user_id: Mapped[int] = mapped_column(
        PrimaryKey, ForeignKey("user.id"), primary_key=True, autoincrement=False
    )
    secret: Mapped[str] = mapped_column(Text)
    last_counter: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(Instant)


class RecoveryCode(Base):
    """A code that opens one login without the app. Only its SHA-256 is stored; it carries 80 random bits."""

    __tablename__ = "recovery_code"

    id: Mapped[int] = mapped_column(PrimaryKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)


class Identity(Base):
    """Whom an OpenID Connect issuer means by a subject; a name or e-mail address alone means nobody."""

    __tablename__ = "identity"
    __table_args__ = (UniqueConstraint("user_id", name="uq_identity_user_id"),)

    issuer: Mapped[str] = mapped_column(String(500), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
