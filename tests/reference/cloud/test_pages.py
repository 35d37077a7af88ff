# SPDX-License-Identifier: Apache-2.0
"""The maker's public pages: what a buyer, a finder of a weakness and a check look for is there, for everybody, without a request."""

from __future__ import annotations

import datetime
import re
from html.parser import HTMLParser

import pytest
from conftest import Cloud

WWW = "https://www.ht1.example"
PAGES = ["", "vulnerability-policy", "support-period", "privacy", "secure-set-up", "set-up-check", "delete-your-data"]


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.dates: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        named = dict(attrs)
        if tag == "a":
            self.links.append(named.get("href") or "")
        if tag == "time":
            self.dates.append(named.get("datetime") or "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def page(cloud: Cloud, name: str) -> Page:
    status, body = cloud.ask(f"{WWW}/{name}")
    assert status == 200, name
    return Page(body)


def security_txt(text: str) -> dict[str, list[str]]:
    """RFC 9116, 2.2: lines of name, colon, value; what is no field and no comment is an error."""
    fields: dict[str, list[str]] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        name, mark, value = line.partition(": ")
        assert mark, line
        assert re.fullmatch(r"[A-Za-z-]+", name), line
        fields.setdefault(name.lower(), []).append(value.strip())
    return fields


@pytest.mark.parametrize("host", ["www", "cloud", "updates"])
def test_security_txt_is_as_the_rfc_wants_it(cloud: Cloud, host: str) -> None:
    url = f"https://{host}.ht1.example/.well-known/security.txt"
    ran = cloud.curl(url, "-i")
    head, _, body = ran.stdout.replace("\r\n", "\n").partition("\n\n")
    assert " 200 " in head.splitlines()[0]
    assert "content-type: text/plain; charset=utf-8" in head.lower()
    fields = security_txt(body)
    assert fields["contact"] == ["mailto:security@ht1.example"]
    assert len(fields["expires"]) == 1
    left = datetime.datetime.fromisoformat(fields["expires"][0]) - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(days=30) < left < datetime.timedelta(days=365)
    assert fields["canonical"] == [url]
    assert fields["preferred-languages"] == ["en"]
    for policy in fields["policy"]:
        assert cloud.ask(policy)[0] == 200


def test_the_policy_has_contact_acknowledgement_and_status_updates(cloud: Cloud) -> None:
    policy = page(cloud, "vulnerability-policy")
    assert "mailto:security@ht1.example" in policy.links
    assert re.search(r"Acknowledgement.{0,80}within 3 working days", policy.text)
    assert re.search(r"Status updates.{0,80}every 14 days", policy.text)
    assert "until it is resolved" in policy.text


def test_the_support_period_has_an_end_date_and_is_on_the_first_page(cloud: Cloud) -> None:
    period = page(cloud, "support-period")
    assert period.dates == ["2031-12-31"]
    assert "31 December 2031" in period.text
    assert "31 December 2031" in page(cloud, "").text


def test_privacy_names_data_purposes_third_parties_and_telemetry(cloud: Cloud) -> None:
    text = page(cloud, "privacy").text
    for field in ("temperature", "heating", "uptime_s", "version"):
        assert field in text
    assert "only if you agreed" in text
    assert "switch it off at any time" in text
    assert re.search(r"Third parties None\.", text)
    assert "no microphone, no camera" in text


def test_deleting_is_told_step_by_step_with_its_confirmation(cloud: Cloud) -> None:
    text = page(cloud, "delete-your-data").text
    assert "Hold the button for 5 seconds" in text
    assert "That is the confirmation" in text


@pytest.mark.parametrize("name", PAGES)
def test_a_page_needs_no_script_no_form_and_no_cookie_and_its_links_lead_somewhere(cloud: Cloud, name: str) -> None:
    shown = page(cloud, name)
    assert not {"script", "form", "iframe", "input", "img", "link"} & set(shown.tags)
    assert "$" not in shown.text, "a placeholder was left"
    for link in shown.links:
        assert link.startswith("mailto:") or cloud.ask(WWW + link)[0] == 200, link
    assert "set-cookie" not in cloud.curl(f"{WWW}/{name}", "-i").stdout.lower()


def test_every_page_is_reached_from_the_first(cloud: Cloud) -> None:
    assert {f"/{name}" for name in PAGES if name} == set(page(cloud, "").links)


@pytest.mark.parametrize("name", ["nothing", "..%2fpages.py", "../pages.py", "%2e%2e%2fmain.py", "pages/index.html", "index.html%00"])
def test_nothing_else_is_shown(cloud: Cloud, name: str) -> None:
    assert cloud.ask(f"{WWW}/{name}", "--path-as-is")[0] in (400, 404)


def test_pages_are_of_their_own_host(cloud: Cloud) -> None:
    assert cloud.ask("https://cloud.ht1.example/privacy")[0] == 404
    assert cloud.ask("https://www.ht1.example/v1/update/HT-1.json")[0] == 404
    assert cloud.ask("https://www.ht1.example/v1/register", "-d", "{}")[0] == 404
    assert cloud.ask("https://www.ht1.example/", "-H", "Host: elsewhere.example")[0] == 421
