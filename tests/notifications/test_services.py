"""Messages go to listed services, with listed parameters; the list is true of Apprise as it is."""

import sys
from typing import Any

import pytest
from apprise import NotifyBase
from apprise.manager_plugins import NotificationManager

from jobauto.notifications.services import COMMON, SERVICES, NotAllowed, target_of

READS_FILES = {"attach", "key_file", "keyfile", "pgp", "pgpprv", "pgppub", "subfile", "template", "wkd"}
BY_WEB_OR_MAIL = {"requests", "smtplib"}


def plugin(scheme: str) -> Any:
    return NotificationManager()[scheme]  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("schemes", SERVICES, ids="-".join)
def test_each_service_is_one_of_apprises_with_these_parameters_and_speaks_http_or_mail(
    schemes: tuple[str, ...],
) -> None:
    assert len({plugin(scheme) for scheme in schemes}) == 1
    found = plugin(schemes[0])
    known = set(found.template_args) - set(NotifyBase.template_args)
    service = SERVICES[schemes]
    assert service.parameters <= known
    assert not service.parameters & READS_FILES
    assert set(service.signs) <= {
        kwargs["prefix"] for kwargs in getattr(found, "template_kwargs", {}).values()
    }
    assert service.has_host == (schemes[0] not in ("mailgun", "smtp2go", "sparkpost") and _names_host(found))
    assert BY_WEB_OR_MAIL & set(vars(sys.modules[found.__module__]))


def _names_host(found: Any) -> bool:
    return any("{host}" in template for template in found.templates)


@pytest.mark.parametrize("name", ["retry", "wait", "redirect", "store"])
def test_what_would_let_a_service_wait_repeat_or_keep_something_is_not_common(name: str) -> None:
    assert name not in COMMON


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (
            "json://h.example/x?+Authorization=secret&-asked=1&:extra=2&method=PUT&verify=no",
            "JSON at h.example",
        ),
        (
            "mailtos://u:p@h.example?smtp=mx.example&to=a@example.com&from=b@example.com",
            "E-Mail at h.example",
        ),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ1/?image=no", "Slack"),
        ("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ1", "Slack"),
        ("ntfys://user:secret@h.example/topic?priority=high", "ntfy at h.example"),
    ],
    ids=["webhook", "mail", "chat", "its own web address", "self-hosted"],
)
def test_what_is_on_the_list_is_taken(url: str, name: str) -> None:
    assert target_of("message", url).display_name == name


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("syslog://", "syslog:// is not among the services"),
        ("rsyslog://h.example", "rsyslog:// is not among the services"),
        ("mqtt://h.example/topic", "mqtt:// is not among the services"),
        ("growl://h.example", "growl:// is not among the services"),
        (
            "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ1/?template=/etc/passwd",
            "The parameter template of",
        ),
        ("mailto://u:p@h.example?pgppub=/etc/passwd", "The parameter pgppub of mailto://"),
        ("json://h.example/x?retry=5", "The parameter retry of json://"),
        ("gotify://h.example/token?+X-Header=1", "The parameter +x-header of gotify://"),
    ],
)
def test_what_is_not_on_the_list_is_refused_by_name(url: str, why: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        target_of("message", url)
    assert str(refused.value).startswith(why)
