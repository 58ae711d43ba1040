"""Description templates: plain ``{name}`` variables and nothing else that could be evaluated."""

from collections.abc import Collection
from string import Formatter


class TemplateError(ValueError):
    """A template is malformed or names an unknown variable."""


def parse(template: str, variables: Collection[str]) -> list[tuple[str, str | None]]:
    """The template as (literal text, name of the variable after it or None) pairs.

    ``{{`` and ``}}`` stand for braces. Raises TemplateError, in words for the form.
    """
    allowed = ", ".join(f"{{{name}}}" for name in variables)
    parts: list[tuple[str, str | None]] = []
    try:
        pieces = list(Formatter().parse(template))
    except ValueError as error:
        raise TemplateError(f"Malformed: {error}. Write {{{{ or }}}} for a brace.") from error
    for literal, name, spec, conversion in pieces:
        if name is not None and name not in variables:
            raise TemplateError(f"Unknown variable {{{name}}}. Known here: {allowed}.")
        if spec or conversion:
            raise TemplateError(f"Malformed: write the plain name {{{name}}}, without : or !.")
        parts.append((literal, name))
    return parts
