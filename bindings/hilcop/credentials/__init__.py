# SPDX-License-Identifier: Apache-2.0
"""Whether a well-known or guessed password opens a device, and how it bears being guessed (ETSI EN 303 645 5.1-1, 5.1-5).

probe = dut.network.try_logins("telnet", "mirai", control=("root", lab_password))
probe = try_console_logins(SerialLogin(dut.console), load_pairs("vendor.csv"), control=("root", lab_password))
"""

from __future__ import annotations

from hilcop.credentials.answers import NetworkLogin, Outcome
from hilcop.credentials.dialogue import Proof
from hilcop.credentials.ftp import FtpLogin
from hilcop.credentials.http_basic import HttpBasicLogin
from hilcop.credentials.http_digest import HttpDigestLogin
from hilcop.credentials.http_form import FormSuccess, HttpFormLogin
from hilcop.credentials.login_probe import Attempt, Lockout, LoginProbe, Throttling
from hilcop.credentials.mqtt import MqttLogin
from hilcop.credentials.pairs import Pair, PairList, known_list, load_pairs, pairs_of
from hilcop.credentials.prober import try_console_logins
from hilcop.credentials.serial_login import SerialLogin
from hilcop.credentials.telnet import TelnetLogin
from hilcop.credentials.u_boot import UBootLogin

__all__ = [
    "Attempt",
    "FormSuccess",
    "FtpLogin",
    "HttpBasicLogin",
    "HttpDigestLogin",
    "HttpFormLogin",
    "Lockout",
    "LoginProbe",
    "MqttLogin",
    "NetworkLogin",
    "Outcome",
    "Pair",
    "PairList",
    "Proof",
    "SerialLogin",
    "TelnetLogin",
    "Throttling",
    "UBootLogin",
    "known_list",
    "load_pairs",
    "login_named",
    "pairs_of",
    "try_console_logins",
]


def login_named(protocol: str) -> NetworkLogin:
    """A protocol at its own port: http-basic, http-digest, telnet, ftp, ssh, mqtt. ConfigError: it is none, or needs more to be said (a
    form)."""
    from hilcop.credentials.prober import bad
    from hilcop.credentials.ssh_login import SshLogin  # paramiko takes a third of a second to be loaded

    known: list[NetworkLogin] = [HttpBasicLogin(), HttpDigestLogin(), TelnetLogin(), FtpLogin(), SshLogin(), MqttLogin()]
    for login in known:
        if login.protocol == protocol:
            return login
    names = ", ".join(login.protocol for login in known)
    raise bad(f"log-in '{protocol}'", "is no protocol that needs no more to be said", f"choose one of: {names}; or give an HttpFormLogin")
