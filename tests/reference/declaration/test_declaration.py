# SPDX-License-Identifier: Apache-2.0
"""The declaration is complete, agrees with itself, with the contract of the device and with what its cloud really shows."""

from __future__ import annotations

import re
import sys

import pytest
from declared import DESIGN, DEVICE, ICS, IXIT, PROVISIONS, REFERENCE, TABLES, texts

# Names and fields after TS 103 701 v2.1.1; id is there in all.
FIELDS = {
    "1-AuthMech": "description default_status authentication_factor password_generation_mechanism security_guarantees "
    "cryptographic_details brute_force_prevention",
    "2-UserInfo": "change_mechanisms replacement sensors secure_setup setup_check maintenance_check deletion personal_data telemetry "
    "model_designation publication_of_vdp publication_of_support_period publication_non_updatable support_period_end",
    "3-VulnTypes": "description action time_frame",
    "4-Conf": "vulnerability_actions vulnerability_monitoring update_procedures secure_management secure_development",
    "5-VulnMon": "description",
    "6-SoftComp": "description update_mechanism cryptographic_usage",
    "7-UpdMech": "description security_guarantees cryptographic_details initiation_and_interaction configuration "
    "update_checking user_notification",
    "8-UpdProc": "description time_frame",
    "9-ReplSup": "isolation hardware_replacement connectivity_and_functionality",
    "10-SecParam": "description type security_guarantees protection_scheme provisioning_mechanism generation_mechanism "
    "secure_communication_mechanisms",
    "11-SecComMech": "description interface security_guarantees cryptographic_details",
    "12-NetSecImpl": "description review_method report",
    "13-SoftServ": "description status justification allows_configuration authentication_mechanism",
    "14-SecMgmt": "description cross_reference",
    "15-PhyIntf": "description type status protection debug_interface",
    "16-CodeMin": "description",
    "17-PrivlCtrl": "description",
    "18-AccCtrl": "description",
    "19-SecDev": "description",
    "20-SecBoot": "description security_guarantees detection_mechanisms user_notification notification_functionality",
    "21-PersData": "description purpose processing_activities secure_communication_mechanisms sensitive obtaining_consent "
    "withdrawing_consent storing_consent authorized_parties lifecycle aggregation anonymization",
    "22-ExtSens": "description",
    "23-ResMech": "description type security_guarantees",
    "24-TelData": "description purpose security_examination personal_data",
    "25-DelFunc": "description target_type initiation_and_interaction confirmation",
    "26-UserDec": "description options triggered_by",
    "27-UserIntf": "description type",
    "28-LogIntf": "description access status disclosed_information debug_interface resilience_measures",
    "29-InpVal": "description source",
}
IDS = {entry["id"]: table for table, held in TABLES.items() for entry in held}


def test_every_table_is_there_in_order_with_its_fields() -> None:
    assert list(TABLES) == list(FIELDS)
    for table, held in TABLES.items():
        assert held, table
        for entry in held:
            assert set(FIELDS[table].split()) <= set(entry), f"{entry['id']}: {set(FIELDS[table].split()) - set(entry)} missing"


def test_every_entry_has_an_id_of_its_own_and_of_its_table() -> None:
    assert len(IDS) == sum(map(len, TABLES.values())), "an id stands twice"
    for entry, table in IDS.items():
        assert re.fullmatch(rf"{table.split('-')[1]}-[1-9]\d*", entry), f"{entry} in {table}"


def test_nothing_is_empty_or_was_read_as_something_else() -> None:
    """YAML takes on, off, yes and no for truth values, and a comma in braces for the end of a text."""
    for path, value in [*texts(IXIT, "ixit"), *texts(ICS, "ics")]:
        assert isinstance(value, str | int | float), f"{path}: {value!r}"
        assert not isinstance(value, bool), f"{path}: {value!r}"
        assert value != "", path


def test_every_reference_resolves() -> None:
    names = {table.split("-")[1] for table in TABLES}
    found = 0
    for path, value in [*texts(IXIT, "ixit"), *texts(ICS, "ics")]:
        for match in REFERENCE.finditer(str(value)):
            if match[1] in names:
                assert match[0] in IDS, f"{path} names {match[0]}, which is not there"
                found += 1
    assert found > 150
    for entry in TABLES["11-SecComMech"]:
        assert IDS.get(entry["interface"]) == "28-LogIntf", entry["id"]
    for entry in TABLES["24-TelData"]:
        assert IDS.get(entry["personal_data"]) == "21-PersData", entry["id"]


def test_every_provision_is_answered_once() -> None:
    assert len(PROVISIONS) == 78
    assert list(ICS) == list(PROVISIONS)


@pytest.mark.parametrize("provision", PROVISIONS)
def test_a_provision_is_answered_with_what_a_laboratory_needs(provision: str) -> None:
    held, known = ICS[provision], PROVISIONS[provision]
    assert held["status"] == known["v3"]
    assert held["support"] in ("Y", "N", "N/A")
    assert len(held["detail"].split()) >= 2
    if held["support"] != "Y":
        assert len(held["detail"].split()) >= 8, "a reason"
    if held["support"] == "N/A":
        assert re.search(r" [CF]\b", known["v3"]), "only what is conditional can be not applicable"
        assert "absent" in held["applicability"] or "does not hold" in held["applicability"]
    else:
        tables = {IDS[entry].split("-")[0] for entry in held["ixit"]}
        assert set(known["tables"]) <= tables, f"tables {set(known['tables']) - tables} are used by its test groups"


def test_a_confirmation_and_its_provision_agree() -> None:
    (said,) = TABLES["4-Conf"]
    for field, provision in {
        "vulnerability_actions": "5.2-2",
        "vulnerability_monitoring": "5.2-3",
        "update_procedures": "5.3-8",
        "secure_management": "5.5-8",
        "secure_development": "5.6-9",
    }.items():
        assert (said[field] == "Yes") == (ICS[provision]["support"] == "Y"), provision


def test_a_secret_that_is_plain_in_the_flash_is_no_secure_storage() -> None:
    plain = [
        entry["id"] for entry in TABLES["10-SecParam"] if entry["type"] == "critical" and "not encrypted" in entry["protection_scheme"]
    ]
    assert (ICS["5.4-1"]["support"] == "N") == bool(plain)
    assert set(plain) <= set(ICS["5.4-1"]["ixit"])


def test_ports_and_endpoints_are_those_of_the_contract() -> None:
    open_port = re.search(r"HTTPS on (\d+) \(TLS 1\.2 and 1\.3\)", DESIGN)
    assert open_port
    assert [(held["protocol"], held["port"]) for held in IXIT["ports"]] == [("tcp", int(open_port[1]))]
    names = set(re.findall(r"\b([a-z]+\.ht1\.example)\b", DESIGN)) - {"www.ht1.example"}  # for people, not for the device
    assert {held["name"] for held in IXIT["endpoints"]} == names
    broker = re.search(r"mosquitto with TLS on (\d+)", DESIGN)
    assert broker
    for held in IXIT["endpoints"]:
        assert held["port"] == (int(broker[1]) if held["protocol"] == "mqtts" else 443)
        assert IDS[held["mechanism"]] == "11-SecComMech"
        for call in re.findall(r"(?:POST|GET) (\S+?)(?:,|$)", held["what"]):
            assert call in DESIGN, call


def test_telemetry_is_that_of_the_contract() -> None:
    topic = re.search(r"`ht1/SERIAL/telemetry` \| `\{([^}]*)\}` every (\d+) s", DESIGN)
    assert topic
    assert TABLES["24-TelData"][0]["fields"] == re.findall(r'"(\w+)"', topic[1])
    assert IXIT["times"]["telemetry_s"] == int(topic[2])


def test_times_and_sizes_are_those_of_the_contract() -> None:
    times = IXIT["times"]
    assert f'"expires_s": {times["session_s"]}' in DESIGN
    lockout = re.search(r"(\d+) wrong ones: 429 with `Retry-After` (\d+) s, doubled at each further one up to (\d+)", DESIGN)
    assert lockout
    assert list(times["lockout"].values()) == [int(number) for number in lockout.groups()]
    assert f"lock it for {times['console_lockout']['seconds']} s" in DESIGN
    sizes = dict(re.findall(r"\| \d(?:, \d)? `([a-z-]+)`[^|]*\| (\d+) MiB", DESIGN))
    parts = {held["name"]: (held["sector"], held["bytes"] // 512) for held in IXIT["flash"]["map"]}
    assert {name: size << 11 for name, size in ((name, int(size)) for name, size in sizes.items())}.items() <= {
        name: length for name, (_, length) in parts.items()
    }.items()
    assert len(sizes) == 5  # slot-b stands beside slot-a
    rows = [line.split() for line in (DEVICE / "image" / "layout").read_text().splitlines() if not line.startswith("#")]
    assert parts == {name: (int(begin), int(length)) for name, begin, length in rows}


def test_what_the_cloud_shows_is_what_is_declared() -> None:
    sys.path.insert(0, str(DEVICE / "cloud"))
    try:
        import pages
    finally:
        sys.path.pop(0)
    (told,) = TABLES["2-UserInfo"]
    assert told["support_period_end"] == pages.FACTS["support_end_iso"]
    assert told["vulnerability_contact"] == pages.FACTS["contact"]
    assert told["acknowledgement"] == pages.FACTS["acknowledgement"]
    assert told["status_updates"] == pages.FACTS["status_updates"]
    shown = [value.removeprefix("https://www.ht1.example/") for value in told.values() if str(value).startswith("https://www.ht1.example/")]
    assert len(shown) >= 8
    for name in shown:
        assert name == ".well-known/security.txt" or pages.html(name), name
    privacy = pages.html("privacy") or ""
    for field in TABLES["24-TelData"][0]["fields"]:
        assert f"<code>{field}</code>" in privacy
