"""The link by which somebody says that a mail address is theirs: signed, for one address, until an instant.

That it counts once is not said here: see :mod:`jobauto.users.mail_addresses`.
"""

from datetime import datetime
from hashlib import sha256

from itsdangerous import BadData, URLSafeSerializer

from ..models import Channel
from ..storage.configuration import secret_key

_SALT = "jobauto: a mail address is its user's"


def make(channel: Channel, until: datetime) -> str:
    """What stands at the end of the link to a channel's address."""
    signed: str = _serializer().dumps([*_identity(channel), int(until.timestamp())])
    return signed


def is_for(token: str, channel: Channel, now: datetime) -> bool:
    """Whether a link is for the address of that channel, and has not ended."""
    try:
        *identity, until = _serializer().loads(token)
    except (BadData, TypeError, ValueError):
        return False
    return bool(identity == _identity(channel) and now.timestamp() < until)


def _identity(channel: Channel) -> list[int | str]:
    # The number alone may be another address in a database that was restored.
    return [channel.id, sha256(channel.display_name.encode()).hexdigest()[:16]]


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(secret_key(), salt=_SALT, signer_kwargs={"digest_method": sha256})
