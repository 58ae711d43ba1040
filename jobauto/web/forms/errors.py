"""What a service has refused, put where the person looks who typed it."""

from collections.abc import Iterable, Mapping

from wtforms import Field


def put_beside(fields: Iterable[Field], errors: Mapping[str, list[str]]) -> list[str]:
    """Put errors beside the fields of the same names; returns those that belong to no field."""
    known = {field.name: field for field in fields}
    for name, why in errors.items():
        if name in known:
            known[name].errors = why
    return [f"{name}: {' '.join(why)}" for name, why in errors.items() if name not in known]
