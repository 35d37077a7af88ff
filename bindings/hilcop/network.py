# SPDX-License-Identifier: Apache-2.0
"""The network that a DUT hangs on: hilcop owns it entirely, records it, breaks it and lies to the device when asked.

dut.network.impair(delay_s=0.1, loss=0.05)
with dut.network.outage("wire"):
    ...
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hilcop.canaries import CanarySearch, find_canaries
from hilcop.capture_report import CaptureReport, read_capture
from hilcop.captures import CaptureFigures, Ring, recorded
from hilcop.errors import make
from hilcop.intercept_cases import InterceptCase, caught_ports
from hilcop.interception import Banner, Interception
from hilcop.lan_address import given_address
from hilcop.network_faults import Direction, DnsKind, NtpKind
from hilcop.network_status import NetworkStatus
from hilcop.outages import Outage, outage_change
from hilcop.scanning import PortWatch, TcpScan, UdpScan, tcp_scan_of, udp_scan_of
from hilcop.survey import Services, SshSurvey, TlsSurvey, services_of, ssh_of, tls_of

if TYPE_CHECKING:
    from hilcop._hilcop import NetworkPort
    from hilcop.credentials.answers import NetworkLogin
    from hilcop.credentials.login_probe import LoginProbe
    from hilcop.credentials.prober import Pairs
    from hilcop.ssh import Ssh

SCAN_ENDS_S = 10  # at most, when its own time is over


class Network:
    """Of one DUT. Calls block until it is done, `timeout_s` seconds at most, then TimeoutError. What the bench does is an event
    network.change or network.link on the timeline and a comment in the capture; what the device asks for is one too: network.dhcp,
    network.router, network.dns, network.ntp, network.tls, network.datagram_tls (DTLS, QUIC), network.carrier."""

    def __init__(self, port: NetworkPort) -> None:
        self._port = port

    @property
    def capture_file(self) -> Path | None:
        """What is recorded from before the first power-on until the bench closes (pcapng, nanoseconds); None: the bench records nothing.
        Where the bench keeps a ring (`capture:` of the DUT's network) no such file is there: its files are named after it, and
        `sync_capture()["files"]` says which they are."""
        return Path(self._port.capture_file) if self._port.capture_file else None

    def status(self, *, timeout_s: float = 5) -> NetworkStatus:
        """Whether the cable is plugged in, who speaks there (`hosts`), what is recorded and was lost (`captures`), what the wire did in
        each direction, what was asked of the services and which of them has failed (harness/network/process/docs/protocol.md)."""
        result: NetworkStatus = self._port.ask("status", {}, timeout_s=timeout_s)
        return result

    def sync_capture(self, name: str = "main", *, timeout_s: float = 5) -> CaptureFigures:
        """Returns when all that had passed is in the file. Only a capture that dropped nothing proves an absence; a ring
        (`packets_removed`) no longer of what passed before `begins_ns`. Raises ExhaustedError where the disk is full, and what had passed
        is not in the file."""
        result: CaptureFigures = self._port.ask("capture.sync", {"name": name}, timeout_s=timeout_s)
        return result

    @contextmanager
    def capture(
        self, file: Path | str, *, name: str = "extra", file_bytes: int = 0, files: int = 0, file_s: float = 0, timeout_s: float = 5
    ) -> Iterator[CaptureFigures]:
        """A second capture, into a file that must not exist, for as long as the block runs. The dict has its figures after that, as
        sync_capture() tells them, and `failure`: what could not be written. A block that ends well raises that: ExhaustedError where the
        disk is full.

        With file_bytes (256 KiB to 1 TiB) and files (2 to 1000) its disk is bounded: a new file begins before one grows beyond that, or
        when it is file_s old, and the newest `files` are kept. They are named after `file`, as "a_00007_20261129104500.pcapng" (UTC) after
        "a.pcapng"; the figures' `files` has them in their order, for read_capture() and find_canaries()."""

        def start(path: str, ring: Ring) -> None:
            self._port.ask("capture.start", {"name": name, "file": path, "ring": ring}, timeout_s=timeout_s)

        def stop() -> CaptureFigures:
            figures: CaptureFigures = self._port.ask("capture.stop", {"name": name}, timeout_s=timeout_s)
            return figures

        with recorded(start, stop, file, file_bytes, files, file_s) as figures:
            yield figures

    def mark(self, text: str, *, timeout_s: float = 5) -> None:
        """A comment at the next packet."""
        self._port.ask("mark", {"text": text}, timeout_s=timeout_s)

    def tell(self, text: str, *, timeout_s: float = 5, **data: Any) -> None:
        """A comment at the next packet, and on the timeline an event network.change with `data`."""
        self._port.change("mark", {"text": text, **data}, timeout_s=timeout_s)

    @contextmanager
    def outage(self, what: Outage = "link", *, host: str = "", timeout_s: float = 10) -> Iterator[None]:
        """For as long as the block runs. `link`: the cable is pulled, as the device sees (where its adapter lets go of the line:
        lab-config/README.md); `wire`: it has a link, but nothing passes; `dhcp`, `dns`, `ntp`, `router`: that service says nothing (and is
        set back to a sound one after the block); `router_leaves`: the router says at first that it is none any more, so that a device
        gives up its route at once; `gateway`: nothing answers, not even ARP; `internet`: nothing beyond the LAN answers, whose names and
        time the gateway still gives; `host`: one host of the internet is dead, `host` is its name or address."""
        self._fail(what, True, host, timeout_s)
        try:
            yield
        finally:
            self._fail(what, False, host, timeout_s)

    def _fail(self, what: Outage, on: bool, host: str, timeout_s: float) -> None:
        change = outage_change(what, on, host)
        if change is None:
            self._port.set_link(not on, timeout_s=timeout_s)
        else:
            self._port.change(*change, timeout_s=timeout_s)

    def impair(
        self,
        *,
        loss: float = 0,
        delay_s: float = 0,
        jitter_s: float = 0,
        reorder: float = 0,
        duplicate: float = 0,
        corrupt: float = 0,
        rate_bit_s: int = 0,
        queue: int = 1000,
        direction: Direction = "both",
        seed: int = 1,
        timeout_s: float = 5,
    ) -> None:
        """From now on, instead of what was before; without arguments the wire is clean again. Shares (loss, reorder, duplicate, corrupt)
        are of the frames, 0 to 1; jitter_s is the delay's standard deviation; rate_bit_s 0 is no limit; `queue` frames wait at most. The
        same seed makes the same faults of the same frames. ConfigError where it makes no sense."""
        shares = {"loss": loss, "reorder": reorder, "duplicate": duplicate, "corrupt": corrupt}
        times = {"delay_s": delay_s, "jitter_s": jitter_s}
        rest = {"rate_bit_s": rate_bit_s, "queue": queue, "direction": direction, "seed": seed}
        self._port.change("impair", {**shares, **times, **rest}, timeout_s=timeout_s)

    def dhcp(
        self,
        *,
        no_answer: bool = False,
        nak: bool = False,
        no_gateway: bool = False,
        no_dns: bool = False,
        offer_taken_address: bool = False,
        second_server_first: bool = False,
        short_lease_s: int | None = None,
        new_subnet: str = "",
        second_server: str = "",
        slow_s: float = 0,
        timeout_s: float = 5,
    ) -> None:
        """How DHCP errs from now on, in all that is given; without faults it is sound. `nak`: every request is refused; `no_gateway`,
        `no_dns`: these options are left out; `offer_taken_address`: everybody gets the server's own; `new_subnet`: the gateway's address
        in the subnet (a /24) that is served from now on, as '192.168.1.1': devices are moved there. The gateway keeps it beside its first
        one until the bench closes, so that a device with a fixed address there is reached; `second_server`: the address of another server,
        whose offers come after the first one's or before them (`second_server_first`); `slow_s`: how much later everything is answered."""
        faults: dict[str, Any] = {"no_answer": no_answer, "nak": nak, "no_gateway": no_gateway, "no_dns": no_dns, "slow_s": slow_s}
        faults |= {"offer_taken_address": offer_taken_address, "second_server_first": second_server_first}
        faults |= {"new_subnet": new_subnet, "second_server": second_server}
        how = {fault: value for fault, value in faults.items() if value}
        if short_lease_s is not None:
            how["short_lease_s"] = short_lease_s
        self._port.change("dhcp", how, timeout_s=timeout_s)

    def dns(
        self,
        name: str,
        kind: DnsKind,
        *,
        addresses: Sequence[str] = (),
        then: Sequence[str] = (),
        delay_s: float = 0,
        ttl_s: int = 30,
        timeout_s: float = 5,
    ) -> None:
        """What queries for a name get from now on: 'www.example.com' is that name, '*.example.com' all below it, '*' all. `addresses` are
        for address, spoof and rebind, which gives `then` ever after the first time."""
        how = {"name": name, "kind": kind, "addresses": list(addresses), "then": list(then), "delay_s": delay_s, "ttl_s": ttl_s}
        self._port.change("dns.rule", how, timeout_s=timeout_s)

    def dns_sound(self, name: str = "", *, timeout_s: float = 5) -> None:
        """No rule is left, or, with a `name` as dns() was given it, not that one: each name without a rule has its own address of
        198.18.0.0/15 again. NotFoundError: there is no rule of that name."""
        if not name:
            self._port.change("dns.clear", {}, timeout_s=timeout_s)
        elif not self._port.change("dns.forget", {"name": name}, timeout_s=timeout_s)["was_there"]:
            cause, remedy = f"there is no rule for '{name}'", "give the name that it was made with"
            raise make("NotFound", "network", cause, remedy, f"network: {cause}; {remedy}")

    def address(self, *, mac: str = "", timeout_s: float = 30) -> str:
        """The IPv4 address that the device was given last, once it has one. TimeoutError: it took none in time; the error says
        so if it speaks as another one. ConfigError: several hosts were given one there; `mac` says which is meant ("52:54:00:12:34:56")."""
        return given_address(lambda rest_s: self.status(timeout_s=rest_s), mac, timeout_s)

    def connect(self, address: str, port: int, *, timeout_s: float = 10) -> socket.socket:
        """A TCP connection from the bench's gateway to the device, whose time limit per call is `timeout_s` too. DisconnectedError: nobody
        listens there."""
        connection = socket.socket(fileno=self._port.connect(address, port, timeout_s=timeout_s))
        connection.settimeout(timeout_s)
        return connection

    def ssh(
        self,
        *,
        user: str,
        password: str | None = None,
        key_file: Path | str | None = None,
        port: int = 22,
        address: str = "",
        timeout_s: float = 30,
    ) -> Ssh:
        """A session on the device (hilcop.ssh), by a password or a private key without a passphrase. `address`: by default what it was
        given. Raises what Ssh does, and TimeoutError where it has no address."""
        from hilcop.ssh import Ssh  # which takes a third of a second to be loaded

        end = time.monotonic() + timeout_s
        to = address or self.address(timeout_s=timeout_s)
        left = max(0.1, end - time.monotonic())
        return Ssh(self, to, user=user, password=password, key_file=key_file, port=port, timeout_s=left)

    def try_logins(
        self,
        login: NetworkLogin | str,
        pairs: Pairs,
        *,
        control: tuple[str, str] | None = None,
        address: str = "",
        interval_s: float = 1.0,
        answer_within_s: float = 15,
        max_attempts: int = 1000,
        control_every: int = 10,
        stop_at_lockout: bool = True,
        timeout_s: float = 900,
    ) -> LoginProbe:
        """Tries users and passwords at a log-in of the device, one after the other, `interval_s` between two at least. `login`: telnet,
        ftp, ssh, mqtt, http-basic, http-digest, or one of hilcop.credentials with its own port. `pairs`: "mirai", "generic", load_pairs()
        of a file, or (user, password)s. `control`: a user and the right password: without it nothing proves that a success would be seen,
        and the result is not `complete`. It is tried before and after, and after `control_every` pairs; 0 where it is to be seen how a
        device bears guessing, for a success resets what it counts. Ends at the first sign of a lockout, but for `stop_at_lockout=False`,
        and then waits until the control is taken again, while there is time. What is tried is told on the timeline and in the capture,
        passwords are not. TimeoutError: the device has no address. ConfigError: a list is none."""
        from hilcop.credentials.over_network import try_network_logins  # with SSH it takes a third of a second to be loaded
        from hilcop.credentials.prober import Pace

        pace = Pace(interval_s, answer_within_s, max_attempts, control_every, stop_at_lockout, timeout_s)
        end = time.monotonic() + timeout_s
        to = address or self.address(timeout_s=timeout_s)
        return try_network_logins(self, login, pairs, control=control, address=to, pace=pace, end=end)

    def name_of(self, address: str, *, timeout_s: float = 5) -> str:
        """The name that an address was given out for; '': none."""
        name: str = self._port.ask("dns.name", {"address": address}, timeout_s=timeout_s)["name"]
        return name

    def ntp(
        self,
        kind: NtpKind = "answer",
        *,
        offset_s: float = 0,
        step_s: float = 0,
        step_after: int = 0,
        kiss: str = "RATE",
        delay_s: float = 0,
        timeout_s: float = 5,
    ) -> None:
        """What the time server does from now on; without arguments it is sound. offset_s: that the clock shown is ahead of UTC; step_s is
        added to it after so many requests."""
        how = {"kind": kind, "offset_s": offset_s, "step_s": step_s, "step_after": step_after, "kiss": kiss, "delay_s": delay_s}
        self._port.change("ntp", how, timeout_s=timeout_s)

    def intercept(
        self,
        *,
        case: InterceptCase = "sound",
        ca_file: Path | str | None = None,
        ca_key_file: Path | str | None = None,
        ports: Sequence[int] | Literal["all"] = (443, 8443, 8883),
        banners: Sequence[Banner] = (),
        quic: Literal["refused", "silent"] = "refused",
        timeout_s: float = 10,
    ) -> Interception:
        """From now on the bench answers TLS at these ports, whatever server the device wants. `ca_file`, `ca_key_file`: PEM of a CA that
        the device trusts, by default lab-config's (`network: {ca: ...}`); without one most cases are not testable. `ports="all"`:
        connections to any other port of any host come to the bench too, and what is said there in plain text is kept (`not_tls`).
        `banners`: what servers say first. QUIC is not spoken: a client is refused at once (ICMP), so that most go on over TCP, or hears
        nothing. Once for each bench; BusyError after that. UnsupportedError: this kernel cannot lead all ports here."""
        how: dict[str, Any] = {"case": case, "ports": caught_ports(ports), "quic": quic}
        how["banners"] = [asdict(banner) for banner in banners]
        if ca_file is None and ca_key_file is None and self._port.trusted_ca is not None:
            ca_file, ca_key_file = self._port.trusted_ca
        if (ca_file is None) != (ca_key_file is None):
            raise ValueError("give ca_file and ca_key_file, or neither")
        if ca_file is not None and ca_key_file is not None:
            how |= {"ca_pem": Path(ca_file).read_text(), "ca_key_pem": Path(ca_key_file).read_text()}
        self._port.change("intercept.start", how, timeout_s=timeout_s)
        return Interception(self._port)

    def identify_services(self, ports: Sequence[int], *, address: str = "", timeout_s: float = 300) -> Services:
        """What nmap (-sV) takes the services at these ports for; give those that scan_tcp() found open. A silent one takes half a minute.
        TimeoutError: it was killed at its limit. NotFoundError: it is not installed."""
        return services_of(self._tool("nmap", ports, address, timeout_s))

    def survey_tls(self, port: int = 443, *, address: str = "", timeout_s: float = 120) -> TlsSurvey:
        """Versions and ciphers that the device accepts as a TLS server, by sslscan. ProtocolError: it does not speak TLS there."""
        return tls_of(self._tool("sslscan", [port], address, timeout_s))

    def survey_ssh(self, port: int = 22, *, address: str = "", timeout_s: float = 60) -> SshSurvey:
        """Algorithms that the device accepts as an SSH server, by ssh-audit. ProtocolError: it does not speak SSH there."""
        return ssh_of(self._tool("ssh-audit", [port], address, timeout_s))

    def _tool(self, tool: str, ports: Sequence[int], address: str, timeout_s: float) -> dict[str, Any]:
        how = {"tool": tool, "ports": list(ports), "address": address, "limit_s": timeout_s}
        result: dict[str, Any] = self._port.change("scan.tool", how, timeout_s=timeout_s + SCAN_ENDS_S)
        return result

    def read(self, *, timeout_s: float = 60) -> CaptureReport:
        """What the main capture says until now: flows, destinations, what was read of protocols (hilcop.read_capture). Of a ring that is
        what its files have; what is gone is a limit. ConfigError: the bench records nothing."""
        return read_capture(**self._recorded(timeout_s))

    def find_canaries(self, canaries: Mapping[str, str | bytes], *, timeout_s: float = 60) -> CanarySearch:
        """Secrets in the main capture until now (hilcop.find_canaries). Only where the result is `complete`, which it is not where the
        capture has dropped a packet, nothing found proves anything. ConfigError: the bench records nothing."""
        return find_canaries(canaries=canaries, **self._recorded(timeout_s))

    def _recorded(self, timeout_s: float) -> dict[str, Any]:
        """The main capture as far as all that has passed is in it, and what is left of the time."""
        end = time.monotonic() + timeout_s
        if (file := self.capture_file) is None:
            cause, remedy = "the bench records nothing, so that there is no capture to read", "open it with record_dir="
            raise make("Config", "network", cause, remedy, f"network: {cause}; {remedy}")
        so_far = self.sync_capture(timeout_s=timeout_s)
        files: list[str | Path] = [*so_far.get("files", [])] or [file]
        return {"file": files, "so_far": so_far, "timeout_s": max(0, end - time.monotonic())}

    def scan_tcp(
        self,
        *,
        ports: Sequence[int] = (),
        address: str = "",
        rate: float = 1000,
        tries: int = 3,
        answer_within_s: float = 1,
        seed: int = 1,
        timeout_s: float = 600,
    ) -> TcpScan:
        """Asks all TCP ports of the device (or `ports`) for a connection, at most `rate` (10 to 50,000) a second and slower where its
        heartbeat suffers: all of them in 66 s where it does not. `address`: by default what the device was given; its link-local IPv6
        address is another. A port that says nothing is asked `tries` times. At `timeout_s` it ends with what is known, and says so
        (`incomplete`). NotFoundError: the device has no address. BusyError: another scan runs."""
        how = {"ports": list(ports), "address": address, "rate": rate, "tries": tries, "answer_within_s": answer_within_s, "seed": seed}
        return tcp_scan_of(self._port.change("scan.tcp", {**how, "limit_s": timeout_s}, timeout_s=timeout_s + SCAN_ENDS_S))

    def scan_udp(
        self,
        *,
        payloads: Mapping[str, tuple[int, bytes]] | None = None,
        known: bool = True,
        address: str = "",
        tries: int = 3,
        answer_within_s: float = 1,
        timeout_s: float = 60,
    ) -> UdpScan:
        """Asks the services of UDP that hilcop knows (harness/network/scan/udp_payloads.cc; `known=False`: not), and those of `payloads`:
        {"a name": (port, question)}. Ten questions a second, each up to `tries` times."""
        own = [{"service": name, "port": port, "hex": question.hex()} for name, (port, question) in (payloads or {}).items()]
        how = {"payloads": own, "known": known, "address": address, "tries": tries, "answer_within_s": answer_within_s}
        return udp_scan_of(self._port.change("scan.udp", {**how, "limit_s": timeout_s}, timeout_s=timeout_s + SCAN_ENDS_S))

    @contextmanager
    def watch_ports(
        self, ports: Sequence[int], *, every_s: float = 0.2, addresses: Sequence[str] = (), timeout_s: float = 5
    ) -> Iterator[PortWatch]:
        """Asks a few TCP ports (256 at most) again and again for as long as the block runs, above all while the device boots: a service
        that is there for a moment is seen if that is longer than a round. `addresses`: by default those that the device has by its lease,
        the link-local one of its MAC, and every one of IPv6 on the LAN that it was seen to speak as. The result is filled in when the
        block ends."""
        self._port.change(
            "watch_ports.start", {"ports": list(ports), "every_s": every_s, "addresses": list(addresses)}, timeout_s=timeout_s
        )
        watch = PortWatch(self._port)
        try:
            yield watch
        finally:
            watch.stop(timeout_s=timeout_s)
