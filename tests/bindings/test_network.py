# SPDX-License-Identifier: Apache-2.0
"""Which address is the device's, of those that the bench's network gave or that it speaks as; and what the network is asked for."""

from __future__ import annotations

import os
import re
import subprocess
import time
from typing import Any, get_args

import hilcop
import pytest
from hilcop.intercept_cases import InterceptCase
from hilcop.network import Network

ONE, OTHER = "52:54:00:00:00:01", "52:54:00:00:00:02"


class Process:
    """What the network process answers to `status`, and what it was asked to change."""

    def __init__(self, hosts: dict[str, list[str]], leases: dict[str, str]) -> None:
        self.hosts, self.leases = hosts, leases
        self.limits: list[float] = []
        self.changes: list[tuple[str, dict[str, Any]]] = []
        self.rules = {"there.example"}
        self.trusted_ca = None

    def ask(self, what: str, how: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        assert (what, how) == ("status", {})
        self.limits.append(timeout_s)
        return {"address": "10.77.0.1/24", "hosts": self.hosts, "services": {"leases": self.leases}}

    def change(self, what: str, how: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        assert timeout_s > 0
        self.changes.append((what, how))
        return {"was_there": how.get("name") in self.rules}


def network(leases: dict[str, str], hosts: dict[str, list[str]] | None = None) -> Network:
    return Network(Process(hosts or {}, leases))  # type: ignore[arg-type]


def asked() -> tuple[Network, list[tuple[str, dict[str, Any]]]]:
    process = Process({}, {})
    return Network(process), process.changes  # type: ignore[arg-type]


def test_the_one_that_there_is_is_the_devices() -> None:
    assert network({ONE: "10.77.0.5"}).address() == "10.77.0.5"


def test_of_several_nobody_is_taken_by_chance() -> None:
    both = network({ONE: "10.77.0.5", OTHER: "10.77.0.6"})
    with pytest.raises(hilcop.ConfigError, match="2 hosts took addresses"):
        both.address()
    assert both.address(mac=OTHER.upper()) == "10.77.0.6"


def test_one_that_has_none_is_told_in_time() -> None:
    for mac in ("", OTHER):
        with pytest.raises(hilcop.TimeoutError, match=r"no address in 0\.2 s; see whether"):
            network({ONE: "10.77.0.5"} if mac else {}, {ONE: ["10.77.0.5"]} if mac else {}).address(mac=mac, timeout_s=0.2)


def test_no_question_is_given_more_than_the_rest_of_the_time() -> None:
    process = Process({}, {})
    begin = time.monotonic()
    with pytest.raises(hilcop.TimeoutError):
        Network(process).address(timeout_s=0.5)  # type: ignore[arg-type]
    assert time.monotonic() - begin < 5
    assert process.limits[0] <= 0.5
    assert process.limits == sorted(process.limits, reverse=True)
    assert process.limits[-1] == 0.1, "what an answer takes"


@pytest.mark.parametrize(
    ("addresses", "said"),
    [
        (["192.168.1.50", "fe80::1"], r"speaks as 192\.168\.1\.50; .*new_subnet='192\.168\.1\.1'\), and say address='192\.168\.1\.50'"),
        (["192.168.1.1"], r"speaks as 192\.168\.1\.1; .*new_subnet='192\.168\.1\.2'"),
        (["10.77.0.9"], r"speaks as 10\.77\.0\.9; .*is reached there: say address='10\.77\.0\.9'"),
        (["169.254.7.7"], r"speaks as 169\.254\.7\.7; one that it gave itself"),
        (["169.254.7.7", "192.168.1.50"], r"speaks as 192\.168\.1\.50, 169\.254\.7\.7; a fixed address"),
        (["172.16.0.9", "172.16.0.8", "172.16.0.7", "172.16.0.6"], r"speaks as 172\.16\.0\.6, 172\.16\.0\.7, 172\.16\.0\.8; "),
        (["fe80::1"], "; see whether it has power"),
    ],
)
def test_one_that_took_none_and_speaks_all_the_same_is_told_of(addresses: list[str], said: str) -> None:
    with pytest.raises(hilcop.TimeoutError, match=said):
        network({}, {ONE: addresses}).address(timeout_s=0)
    with pytest.raises(hilcop.TimeoutError, match=said):
        network({OTHER: "10.77.0.5"}, {ONE: addresses, OTHER: ["10.0.0.1"]}).address(mac=ONE, timeout_s=0)


def test_faults_of_dhcp_are_asked_for_by_name_and_no_others() -> None:
    lan, changes = asked()
    lan.dhcp()
    lan.dhcp(no_answer=False, short_lease_s=0)
    lan.dhcp(nak=True, new_subnet="192.168.1.1", slow_s=1.5)
    lan.dhcp(second_server="10.78.0.1", second_server_first=True, no_dns=True, no_gateway=True, offer_taken_address=True)
    with pytest.raises(TypeError, match="nack"):
        lan.dhcp(nack=True)  # type: ignore[call-arg]
    assert changes == [
        ("dhcp", {}),
        ("dhcp", {"short_lease_s": 0}),
        ("dhcp", {"nak": True, "slow_s": 1.5, "new_subnet": "192.168.1.1"}),
        (
            "dhcp",
            {
                "no_gateway": True,
                "no_dns": True,
                "offer_taken_address": True,
                "second_server_first": True,
                "second_server": "10.78.0.1",
            },
        ),
    ]


def test_names_are_sound_again_all_or_one() -> None:
    lan, changes = asked()
    lan.dns_sound()
    lan.dns_sound("there.example")
    with pytest.raises(hilcop.NotFoundError, match=r"no rule for '\*\.example'"):
        lan.dns_sound("*.example")
    assert changes == [("dns.clear", {}), ("dns.forget", {"name": "there.example"}), ("dns.forget", {"name": "*.example"})]


def test_a_router_that_leaves_says_so_and_is_there_again() -> None:
    lan, changes = asked()
    with lan.outage("router_leaves"):
        assert changes == [("router", {"silent": True, "farewell": True})]
    assert changes[1:] == [("router", {"silent": False, "farewell": False})]


@pytest.mark.parametrize("port", [0, -1, 65536, 2**32 + 443])
def test_a_port_that_is_none_is_not_intercepted(port: int) -> None:
    lan, changes = asked()
    with pytest.raises(hilcop.ConfigError, match=rf'{port} is no port; give 1 to 65535, or "all"'):
        lan.intercept(ports=(443, port))
    assert not changes
    lan.intercept(ports=(1, 65535))
    lan.intercept(ports="all", case="expired")
    assert [(how["ports"], how["case"]) for _, how in changes] == [([1, 65535], "sound"), ("all", "expired")]


def test_the_cases_are_those_that_the_network_knows() -> None:
    words = [os.environ["HILCOP_PROGRAM"], "net", "up", "unit", "--intercept", "--case", "no-such-case"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stderr
    known = re.search(r"no-such-case not in \{(.*)\}", done.stdout + done.stderr)
    assert known, done.stdout + done.stderr
    assert tuple(known[1].split(",")) == get_args(InterceptCase)
