# SPDX-License-Identifier: Apache-2.0
"""What programs of others say of a device's open ports: nmap which service it is, sslscan which TLS it speaks, ssh-audit which SSH.

They run in the bench's network as children with a hard limit; their reports are read here, and only whole ones. Hints and evidence, no
verdicts: what they do not say was not asked, or not understood.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from hilcop.errors import Error, make


@dataclass(frozen=True)
class Service:
    port: int
    state: str  # as nmap says: open, closed, filtered
    name: str  # "http", "ssh"...; by the port's number alone where not `probed`
    probed: bool
    product: str
    version: str
    tunnel: str  # "ssl": inside TLS
    cpe: tuple[str, ...]


@dataclass(frozen=True)
class Services:
    tool: str  # "Nmap version 7.93 ( https://nmap.org )"
    took_s: float
    services: tuple[Service, ...]
    report: str  # nmap's XML

    def at(self, port: int) -> Service | None:
        return next((service for service in self.services if service.port == port), None)


@dataclass(frozen=True)
class TlsSurvey:
    tool: str
    took_s: float
    versions: tuple[str, ...]  # that it accepts: "SSL 2", "TLS 1.2"
    ciphers: tuple[tuple[str, str, int], ...]  # version, OpenSSL's name, bits
    heartbleed: bool
    report: str  # sslscan's XML


@dataclass(frozen=True)
class SshSurvey:
    tool: str
    took_s: float
    software: str  # "OpenSSH_9.2p1"
    encryption: tuple[str, ...]
    key_exchange: tuple[str, ...]
    macs: tuple[str, ...]
    host_keys: tuple[str, ...]
    report: str  # ssh-audit's JSON


def services_of(result: Mapping[str, Any]) -> Services:
    root = _xml(result)
    if root.find("./runstats/finished[@exit='success']") is None:
        raise _wrong(result, "was not finished", "see its report")
    found = []
    for port in root.iterfind("./host/ports/port"):
        state, service = port.find("state"), port.find("service")
        words = {} if service is None else service.attrib
        cpe = tuple(entry.text or "" for entry in port.iterfind("./service/cpe"))
        found.append(
            Service(
                port=int(port.get("portid", "0")),
                state="" if state is None else state.get("state", ""),
                name=words.get("name", ""),
                probed=words.get("method") == "probed",
                product=words.get("product", ""),
                version=words.get("version", ""),
                tunnel=words.get("tunnel", ""),
                cpe=cpe,
            )
        )
    others = sum(int(rest.get("count", "0")) for rest in root.iterfind("./host/ports/extraports"))
    if root.find("./host[@timedout='true']") is not None or len(found) + others < len(_ports(result)):
        raise _wrong(
            result, f"tells of {len(found) + others} of {len(_ports(result))} ports", "see whether the device is there, and its report"
        )
    return Services(result["version"], result["took_s"], tuple(found), result["report"])


def tls_of(result: Mapping[str, Any]) -> TlsSurvey:
    root = _xml(result)
    if (error := root.find("error")) is not None:
        raise _wrong(result, f"could not look: {(error.text or '').strip()}", "see whether the device speaks TLS at this port")
    if (test := root.find("ssltest")) is None:
        raise _wrong(result, "says nothing of the port", "see its report")
    enabled = [entry for entry in test.iterfind("protocol") if entry.get("enabled") == "1"]
    if not enabled:
        raise _wrong(result, "found no version of TLS that the port speaks", "see whether it speaks TLS at all, or wants a name (SNI)")
    return TlsSurvey(
        tool=f"sslscan {root.get('version', '')}",
        took_s=result["took_s"],
        versions=tuple(f"{entry.get('type', '').upper()} {entry.get('version', '')}" for entry in enabled),
        ciphers=tuple(
            (entry.get("sslversion", ""), entry.get("cipher", ""), int(entry.get("bits", "0"))) for entry in test.iterfind("cipher")
        ),
        heartbleed=any(entry.get("vulnerable") == "1" for entry in test.iterfind("heartbleed")),
        report=result["report"],
    )


def ssh_of(result: Mapping[str, Any]) -> SshSurvey:
    try:
        said = json.loads(result["report"])
        return SshSurvey(
            tool=result["version"].strip("# "),
            took_s=result["took_s"],
            software=said["banner"]["software"] or "",
            encryption=tuple(said["enc"]),
            key_exchange=tuple(entry["algorithm"] for entry in said["kex"]),
            macs=tuple(said["mac"]),
            host_keys=tuple(entry["algorithm"] for entry in said["key"]),
            report=result["report"],
        )
    except (ValueError, LookupError, TypeError) as error:
        raise _wrong(result, f"has a report that is not what it was ({error})", "see it, and which version is installed") from error


def _ports(result: Mapping[str, Any]) -> set[int]:
    """That it was asked for."""
    words = list(result["arguments"])
    return {int(port) for port in words[words.index("-p") + 1].split(",")}


def _xml(result: Mapping[str, Any]) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(result["report"])
    except ElementTree.ParseError as error:
        raise _wrong(result, f"has a report that is no XML ({error})", "see which version is installed") from error


def _wrong(result: Mapping[str, Any], cause: str, remedy: str) -> Error:
    tool = result["tool"]
    return make("Protocol", tool, cause, remedy, f"{tool}: {cause}; {remedy}")
