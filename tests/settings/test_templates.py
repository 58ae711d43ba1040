"""Description templates: plain names in braces; anything else is an error, and nothing is evaluated."""

import pytest

from jobauto.rules.no_coms import NoComsSettings
from jobauto.rules.template import TemplateError, parse
from jobauto.rules.zero_reads import ZeroReadsSettings
from jobauto.settings.schema import Settings, SettingsError

KNOWN = ("site_id", "site_name")


@pytest.mark.parametrize(
    ("template", "pieces"),
    [
        ("plain", [("plain", None)]),
        ("{site_id}", [("", "site_id")]),
        ("a{site_id}b{site_name}", [("a", "site_id"), ("b", "site_name")]),
        ("{{site_id}}", [("{", None), ("site_id}", None)]),
        ("%s %(site_id)s $site_id", [("%s %(site_id)s $site_id", None)]),
    ],
)
def test_a_template_is_text_and_names(template: str, pieces: list[tuple[str, str | None]]) -> None:
    assert parse(template, KNOWN) == pieces


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{", "Malformed"),
        ("}", "Malformed"),
        ("{site_id", "Malformed"),
        ("site_id}", "Malformed"),
        ("{{{site_id}}", "Malformed"),
        ("{site_id}}", "Malformed"),
        ("{site_id!r}", "Malformed"),
        ("{site_id!x}", "Malformed"),
        ("{site_id:>10}", "Malformed"),
        ("{site_id:{site_name}}", "Malformed"),
        ("{site_id:%Y}", "Malformed"),
        ("{}", "Unknown variable {}"),
        ("{0}", "Unknown variable {0}"),
        ("{ site_id }", "Unknown variable { site_id }"),
        ("{SITE_ID}", "Unknown variable {SITE_ID}"),
        ("{days_threshold}", "Unknown variable {days_threshold}"),
        ("{site_id.__class__}", "Unknown variable {site_id.__class__}"),
        ("{site_id[0]}", "Unknown variable {site_id[0]}"),
        ("{site_id.__init__.__globals__}", "Unknown variable"),
        ("{1+1}", "Unknown variable {1+1}"),
        ("{site_id}{oops}", "Known here: {site_id}, {site_name}."),
    ],
)
def test_anything_else_between_braces_is_an_error_in_words(template: str, reason: str) -> None:
    with pytest.raises(TemplateError) as raised:
        parse(template, KNOWN)

    assert reason in str(raised.value)


@pytest.mark.parametrize(
    ("section", "names"),
    [
        (NoComsSettings, "site_id site_name days_threshold last_reading days_without_reading"),
        (ZeroReadsSettings, "site_id site_name zero_count days_to_check date_range total_difference"),
    ],
    ids=["no_coms", "zero_reads"],
)
def test_each_rule_knows_the_variables_of_the_contract(
    section: type[NoComsSettings | ZeroReadsSettings], names: str
) -> None:
    assert set(section.variables) == set(names.split())


@pytest.mark.parametrize(
    ("section", "template"),
    [
        ("NO_COMS", "{zero_count}"),
        ("ZERO_READS", "{days_threshold}"),
        ("NO_COMS", "{"),
        ("ZERO_READS", "{0}"),
    ],
)
def test_a_wrong_template_is_told_at_its_field(section: str, template: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings().changed({section: {"description_template": template}})

    assert list(raised.value.fields) == [f"{section}.description_template"]
