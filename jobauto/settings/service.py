"""Reading and saving settings. Every save is a new version; nothing is overwritten."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from ..audit import queries as audit
from ..audit.conflicts import Conflict
from ..audit.service import Author, Difference, record
from ..extensions import db
from ..models import SettingsVersion, Site
from ..storage.among import is_among
from ..storage.connections import write
from ..storage.marks import mark_selected
from . import schedule
from .policies import Policies, Policy
from .schema import Errors, Settings, SettingsError, told
from .stored import Unreadable, read_policies, read_stored

HISTORY = 50
SITES_AT_ONCE = 1000


class StaleSettings(Exception):
    """Somebody else saved settings since the form was opened: the fields that both have changed."""

    def __init__(self, conflicts: Sequence[Conflict] = ()) -> None:
        super().__init__("somebody else has changed the settings")
        self.conflicts = conflicts


@dataclass(frozen=True)
class Stored:
    """The settings in force: their version, and from when on slots of the schedule are owed.

    What is ``unreadable`` of the stored values counts as its default.
    """

    version: int
    settings: Settings
    slots_owed_from: datetime
    unreadable: tuple[Unreadable, ...] = ()
    policies_as_stored: Sequence[Any] = ()

    @property
    def policies(self) -> Policies:
        """The policies over these settings."""
        return self._policies[0]

    @property
    def unreadable_policies(self) -> tuple[Unreadable, ...]:
        """What of the stored policies says nothing any more."""
        return self._policies[1]

    @cached_property
    def _policies(self) -> tuple[Policies, tuple[Unreadable, ...]]:
        return read_policies(self.policies_as_stored, self.settings)  # when asked for: most pages do not


@dataclass(frozen=True)
class Change:
    """One field of one save: who changed it, when, from what, to what."""

    at: datetime
    who: str | None
    field: str
    before: Any
    after: Any


def current() -> Stored:
    """The settings in force."""
    return _stored(db.session.scalars(_newest(1)).one())


def of_version(version: int) -> Settings:
    """The fleet's settings of a version, as a run used them."""
    return stored_as(version).settings


def stored_as(version: int) -> Stored:
    """The settings of a version with its policies."""
    return _stored(db.session.get_one(SettingsVersion, version))


def save(
    edit: Callable[[Settings], Settings],
    *,
    by: str,
    now: datetime,
    seen: int | None = None,
    token: str | None = None,
) -> Stored:
    """Store what ``edit`` makes of the settings in force, unless that changes nothing that is stored.

    ``seen`` is the version that the editor looked at. Raises SettingsError, also where a policy would
    contradict them, and StaleSettings when another version has come since; without ``seen`` the edit is
    applied to whatever is in force.
    ``token`` names the API token with which they do it.
    """
    while True:
        try:
            with write() as session:
                before = _stored(session.scalars(_newest(1)).one())
                if seen not in (None, before.version):
                    raise StaleSettings
                after = edit(before.settings)
                if after == before.settings and not before.unreadable:
                    return before
                before.policies.over(after)
                session.add(_next_version(before, after, before.policies_as_stored, by, now))
                changed = _changed(before.settings, after, before.unreadable)
                record(session, Author(by, now, token), "settings", before.version + 1, changed)
                if after.readings != before.settings.readings:
                    mark_selected(session.connection(), select(Site.key), urgent=False)
            return current()
        except IntegrityError:
            continue  # another save took this version's number: look again at what is in force now


def save_policies(
    edit: Callable[[Policies], Policies], *, name: str, author: Author, seen: int | None = None
) -> Stored:
    """Store what ``edit`` makes of the policies in force, of which it changes the one with a ``name``.

    Raises what ``edit`` raises, and StaleSettings where that policy has changed since the version ``seen``.
    """
    while True:
        try:
            with write() as session:
                before = _stored(session.scalars(_newest(1)).one())
                if seen is not None and _policy_of(seen, name) != before.policies.named(name):
                    raise StaleSettings
                after = edit(before.policies)
                if after == before.policies and not before.unreadable_policies:
                    return before
                session.add(
                    _next_version(before, before.settings, after.documents(), author.name or "", author.now)
                )
                record(session, author, "policy", name, _policy_changes(before.policies, after, name))
            return current()
        except IntegrityError:
            continue


def put_policy(policy: Policy, *, author: Author, seen: int | None = None) -> Stored:
    """Store a policy in place of the one of its name. Raises SettingsError, and StaleSettings."""
    return save_policies(
        lambda policies: _checked(policies.replaced(policy), policy),
        name=policy.name,
        author=author,
        seen=seen,
    )


def delete_policy(name: str, *, author: Author, seen: int | None = None) -> Stored:
    """Take a policy away; of its groups and sites the fleet's settings hold. Raises StaleSettings."""
    return save_policies(lambda policies: policies.without(name), name=name, author=author, seen=seen)


def _checked(policies: Policies, policy: Policy) -> Policies:
    """Raises SettingsError where a site is unknown, or where values contradict those of a group's policy."""
    groups = dict(_groups_of(policies.of_sites))
    if unknown := [site_id for site_id in policy.sites if site_id not in groups]:
        raise SettingsError({"sites": told([f"Unknown site: {site_id}." for site_id in unknown])})
    for site_id, group in groups.items():
        effective = policies.effective(site_id, group)
        if policy in (effective.site, effective.group) and (wrong := effective.errors()):
            raise SettingsError({name: [f"At {site_id}: {' '.join(why)}"] for name, why in wrong.items()})
    return policies


def _groups_of(site_ids: Collection[str]) -> Iterator[tuple[str, str]]:
    wanted = list(site_ids)
    for start in range(0, len(wanted), SITES_AT_ONCE):
        some = Site.site_id.in_(wanted[start : start + SITES_AT_ONCE])
        yield from db.session.execute(select(Site.site_id, Site.group).where(some)).all()


def count_sites(policies: Policies) -> dict[str, int]:
    """How many sites each policy is for, by its name: those of its groups, and single ones beside them."""
    counts = dict.fromkeys((policy.name for policy in policies.all), 0)
    of_groups = is_among(db.session.connection(), Site.group, policies.of_groups)
    in_use = select(Site.group, func.count()).where(of_groups).group_by(Site.group)
    for group, count in db.session.execute(in_use):
        counts[policies.of_groups[group].name] += count
    for site_id, group in _groups_of(policies.of_sites):
        own = policies.of_sites[site_id]
        counts[own.name] += own != policies.of_groups.get(group)
    return counts


def reconciled(policies: Policies) -> Iterator[tuple[str, Errors]]:
    """Sites at which policies contradict each other since they moved to another group, and what does."""
    for site_id, group in _groups_of(policies.of_sites):
        if wrong := policies.effective(site_id, group).errors():
            yield site_id, wrong


def _policy_of(version: int, name: str) -> Policy | None:
    row = db.session.get(SettingsVersion, version)
    return _stored(row).policies.named(name) if row else None


def _policy_changes(before: Policies, after: Policies, name: str) -> Iterator[Difference]:
    old, new = (_flat(policies.named(name)) for policies in (before, after))
    for field in dict.fromkeys([*old, *new]):
        if old.get(field) != new.get(field):
            yield field, old.get(field), new.get(field)


def _flat(policy: Policy | None) -> dict[str, Any]:
    if policy is None:
        return {}
    lists = {kind: ", ".join(getattr(policy, kind)) or None for kind in ("groups", "sites")}
    return {"name": policy.name, **lists, **dict(policy.given())}


def merge(typed: dict[str, dict[str, Any]], *, seen: int, by: str, now: datetime) -> Stored:
    """Store what an editor changed in a form that showed the version ``seen``; other fields stay as they are.

    Raises SettingsError, and StaleSettings where somebody else has changed one of the same fields since, or
    where there is no such version: then nothing is stored.
    """

    def edit(in_force: Settings) -> Settings:
        shown = db.session.get(SettingsVersion, seen)
        if shown is None:
            raise StaleSettings
        touched = _touched(_stored(shown).settings.document(), typed)
        conflicts = list(_conflicts(_stored(shown).settings.document(), in_force.document(), touched))
        if conflicts:
            raise StaleSettings(conflicts)
        return in_force.changed(touched)

    return save(edit, by=by, now=now)


def _touched(
    before: dict[str, dict[str, Any]], typed: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    return {
        section: {name: value for name, value in values.items() if str(value) != str(before[section][name])}
        for section, values in typed.items()
    }


def _conflicts(
    before: dict[str, dict[str, Any]], in_force: dict[str, dict[str, Any]], touched: dict[str, dict[str, Any]]
) -> Iterator[Conflict]:
    for section, values in touched.items():
        for name, value in values.items():
            old, new = before[section][name], in_force[section][name]
            if new != old and str(new) != str(value):
                field = f"{section}.{name}"
                last = db.session.scalar(audit.last_change_of_setting(field))
                who, at = (last.who, last.at) if last else (None, None)
                yield Conflict(field, who, at, old, new, value)


def changes() -> Iterator[Change]:
    """The newest saves, field by field, newest first."""
    # Without their policies, of which each version has all, megabytes perhaps.
    told = (SettingsVersion.document, SettingsVersion.changed_at, SettingsVersion.changed_by)
    versions = db.session.execute(_newest(HISTORY + 1).with_only_columns(*told)).all()
    for after, before in pairwise(versions):
        yield from _differences(before, after)


def _newest(count: int) -> Any:
    return select(SettingsVersion).order_by(SettingsVersion.version.desc()).limit(count)


def _stored(row: SettingsVersion) -> Stored:
    settings, unreadable = read_stored(row.document)
    return Stored(row.version, settings, row.slots_owed_from, unreadable, row.policies)


def _next_version(
    before: Stored, after: Settings, policies: Sequence[Any], by: str, now: datetime
) -> SettingsVersion:
    return SettingsVersion(
        version=before.version + 1,
        document=after.document(),
        policies=policies,
        changed_at=now,
        changed_by=by,
        slots_owed_from=schedule.owed_from_after_change(
            before.settings.schedule, after.schedule, before.slots_owed_from, now
        ),
    )


def _differences(before: Any, after: Any) -> Iterator[Change]:
    (old, unreadable), (new, _) = read_stored(before.document), read_stored(after.document)
    for field, was, value in _changed(old, new, unreadable):
        yield Change(after.changed_at, after.changed_by, field, was, value)


def _changed(before: Settings, after: Settings, unreadable: Sequence[Unreadable]) -> Iterator[Difference]:
    old, new = before.document(), after.document()
    as_stored = {value.field: value.value for value in unreadable}
    for section, values in new.items():
        for name, value in values.items():
            field = f"{section}.{name}"
            was = as_stored.get(field, old[section][name])
            if was != value:
                yield field, was, value
