# SPDX-License-Identifier: Apache-2.0
"""Reports of nmap, sslscan and ssh-audit: `survey/` has what Debian 12's said of OpenSSH and `openssl s_server` on loopback."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import hilcop
import pytest
from hilcop.survey import services_of, ssh_of, tls_of

REPORTS = Path(os.environ["HILCOP_SOURCE_DIR"]) / "tests/bindings/survey"


def said(tool: str, report: str) -> dict[str, Any]:
    return {"tool": tool, "version": f"# {tool} v1", "took_s": 1.5, "report": report, "arguments": ["-p", "80,2222,4443"]}


def recorded(tool: str, file: str) -> dict[str, Any]:
    return said(tool, (REPORTS / file).read_text())


def test_services_are_those_that_nmap_found() -> None:
    found = services_of(recorded("nmap", "nmap.xml"))
    ssh, tls, nothing = found.at(2222), found.at(4443), found.at(80)
    assert ssh
    assert tls
    assert nothing
    assert (ssh.state, ssh.name, ssh.product, ssh.probed) == ("open", "ssh", "OpenSSH", True)
    assert ssh.version.startswith("9.2p1")
    assert ssh.cpe[0] == "cpe:/a:openbsd:openssh:9.2p1"
    assert (tls.name, tls.tunnel) == ("http", "ssl")
    assert (nothing.state, nothing.probed) == ("closed", False), "http is only what port 80 is for"
    assert found.at(81) is None


def test_tls_is_what_sslscan_found() -> None:
    found = tls_of(recorded("sslscan", "sslscan.xml"))
    assert found.versions == ("TLS 1.2", "TLS 1.3")
    assert ("TLSv1.3", "TLS_AES_128_GCM_SHA256", 128) in found.ciphers
    assert not found.heartbleed
    assert found.tool == "sslscan 2.0.7"


def test_a_flaw_that_sslscan_found_is_told() -> None:
    report = (REPORTS / "sslscan.xml").read_text().replace('"TLSv1.2" vulnerable="0"', '"TLSv1.2" vulnerable="1"')
    old = report.replace('type="tls" version="1.0" enabled="0"', 'type="tls" version="1.0" enabled="1"')
    assert tls_of(said("sslscan", old)).heartbleed
    assert tls_of(said("sslscan", old)).versions[0] == "TLS 1.0"


def test_ssh_is_what_ssh_audit_found() -> None:
    found = ssh_of(recorded("ssh-audit", "ssh_audit.json"))
    assert (found.software, found.tool) == ("OpenSSH_9.2p1", "ssh-audit v1")
    assert "aes128-ctr" in found.encryption
    assert found.host_keys == ("ssh-ed25519",)
    assert "sntrup761x25519-sha512" in found.key_exchange
    assert "umac-64-etm@openssh.com" in found.macs


def test_a_port_that_refused_is_no_survey() -> None:
    with pytest.raises(hilcop.ProtocolError, match="Could not open a connection"):
        tls_of(recorded("sslscan", "sslscan_refused.xml"))


@pytest.mark.parametrize(("tool", "read"), [("nmap", services_of), ("sslscan", tls_of), ("ssh-audit", ssh_of)])
@pytest.mark.parametrize("report", ["", "<", "{}", "<other/>", '{"banner": 1}', "[]"])
def test_what_is_no_report_is_an_error_of_the_bench(tool: str, read: Any, report: str) -> None:
    with pytest.raises(hilcop.ProtocolError, match=tool):
        read(said(tool, report))


@pytest.mark.parametrize(
    ("what", "instead"),
    [("<ports>.*</ports>", ""), ("<host ", '<host timedout="true" '), ('<port protocol="tcp" portid="80">.*?</port>', "")],
    ids=["no host", "late", "a port is missing"],
)
def test_a_port_that_nmap_says_nothing_of_is_not_left_out_in_silence(what: str, instead: str) -> None:
    report, changes = re.subn(what, instead, (REPORTS / "nmap.xml").read_text(), count=1, flags=re.DOTALL)
    assert changes == 1
    with pytest.raises(hilcop.ProtocolError, match=r"tells of [023] of 3 ports"):
        services_of(said("nmap", report))


def test_ports_that_nmap_sums_up_are_told() -> None:
    port = '<port protocol="tcp" portid="80">.*?</port>'
    report = re.sub(port, '<extraports state="filtered" count="1"/>', (REPORTS / "nmap.xml").read_text(), count=1, flags=re.DOTALL)
    assert services_of(said("nmap", report)).at(80) is None


def test_where_no_handshake_was_done_nothing_is_known_of_tls() -> None:
    report = (REPORTS / "sslscan.xml").read_text().replace('enabled="1"', 'enabled="0"')
    with pytest.raises(hilcop.ProtocolError, match="no version of TLS"):
        tls_of(said("sslscan", report))


def test_a_scan_that_did_not_finish_is_none() -> None:
    report = (REPORTS / "nmap.xml").read_text().replace('exit="success"', 'exit="error"')
    with pytest.raises(hilcop.ProtocolError, match="was not finished"):
        services_of(said("nmap", report))
