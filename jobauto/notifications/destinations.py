"""Where messages may go: to the internet, and within private ranges to what JOBAUTO_SEND_TO names.

What is said here is for people, before anything is sent. What decides is asked again just before each
connection (:func:`jobauto.notifications.courier.watch_connections`).
"""

from collections.abc import Iterable
from threading import Thread
from time import monotonic
from typing import NamedTuple

from ..models import Channel
from .courier import Reach, addresses_of
from .encryption import CannotDecrypt, decrypt
from .services import MAIL, BadUrl, NotAllowed, target_of

NO_MAIL = "JOBAUTO_MAIL_URL is not set, so there is no server that takes mail."
LOOK_UP_SECONDS = 3.0
"""For all names of one question; a name server that is silent must not hold a page."""


class Need(NamedTuple):
    """What stands against adding a channel now: a sentence, and the private host, if it is about one."""

    why: str
    host: str | None = None


def check(kind: str, url: str, send_to: list[str], *, has_mail: bool) -> str:
    """The display name of a channel that may be added. Raises BadUrl, with what to set if that would help.

    ``has_mail``: the operator has set up a mail server.
    """
    target = target_of(kind, url)
    if kind == "message" and url.startswith(MAIL) and not has_mail:
        raise BadUrl(NO_MAIL)
    if target.host and out_of_reach({target.host}, send_to):
        raise NotAllowed(f"{_private(target.host)} {what_to_set([target.host], send_to)}")
    return target.display_name


def needs_of(channels: Iterable[Channel], send_to: list[str]) -> dict[int, Need]:
    """By id: what those that were added before there were limits would need if they were added now."""
    needs: dict[int, Need] = {}
    hosts: dict[int, str | None] = {}
    for channel in channels:
        try:
            if channel.exempt:
                hosts[channel.id] = target_of(channel.kind, decrypt(channel.encrypted_url)).host
        except NotAllowed as reason:
            needs[channel.id] = Need(f"{reason} Such a channel cannot be added any more.")
        except (BadUrl, CannotDecrypt):
            continue  # nothing can be sent to it at all; the page says so elsewhere
    private = out_of_reach({host for host in hosts.values() if host}, send_to)
    return needs | {key: Need(_private(host), host) for key, host in hosts.items() if host in private}


def out_of_reach(hosts: set[str], send_to: list[str]) -> set[str]:
    """Those of the hosts that have an address in a private range which is not named. Unknown ones are not."""
    reach, found = Reach(send_to), set()

    def look_up(host: str) -> None:
        if not all(reach.includes(ip) for ip in addresses_of(host)):
            found.add(host)

    # Looking up a name cannot be interrupted; threads that are left behind end by themselves.
    threads = [Thread(target=look_up, args=[host], daemon=True) for host in hosts]
    until = monotonic() + LOOK_UP_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - monotonic()))
    return set(found)


def what_to_set(hosts: Iterable[str | None], send_to: list[str]) -> str:
    """What would allow the hosts, in words; nothing for none."""
    missing = sorted({host for host in hosts if host})
    if not missing:
        return ""
    value = ",".join([*send_to, *missing])
    what = "it" if len(missing) == 1 else "them"
    return f"To allow {what}, set JOBAUTO_SEND_TO={value} and restart the program."


def _private(host: str) -> str:
    return f"{host} is in a private range."
