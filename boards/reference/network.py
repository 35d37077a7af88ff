# SPDX-License-Identifier: Apache-2.0
"""HT1-NETWORK: the reference device on a network that is the bench's: addresses, names and time that fail and lie, servers that are not its
maker's, outages, its ports while it starts, and what its owner told it, looked for in all that it said."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import hilcop
from _network_tour import API, CLOUD, PASSWORD, WIFI_KEY, Tour, until
from _network_wire import asks_no_time, goes_to_its_maker_alone, speaks_tls_alone
from hilcop import Check, Dut, Run, scenario
from hilcop.interception import Intercepted
from hilcop.scanning import PortWatch

CASES: tuple[str, ...] = (
    "self_signed",
    "unknown_ca",
    "wrong_name",
    "expired",
    "not_yet_valid",
    "leaf_as_ca",
    "wrong_usage",
    "weak_key",
    "weak_signature",
)
CASES += ("old_version_1_0", "old_version_1_1", "weak_cipher", "null_cipher", "strip")
WATCHED = (21, 22, 23, 53, 80, 443, 1883, 2323, 5555, 8080, 8443, 8883)
TWENTY_YEARS_S = -20 * 365 * 86400.0
ATTEMPTS, NEXT_ATTEMPT_S = 2, 10.0  # that a fault is shown in, and how long its next one is waited for


def takes_an_address(tour: Tour, check: Check) -> None:
    """Nobody gives it one at first; then a server does."""
    network = tour.network
    network.dhcp(no_answer=True)
    try:
        if tour.starts(check) is None:
            return
        asked = until(lambda: int(network.status()["services"]["dhcp"]["received"]) > 0, 60)
        without = not network.status()["services"]["leases"]
    finally:
        network.dhcp()
    check.control("it asked, and got nothing", ok=asked and without)
    back = until(lambda: bool(network.status()["services"]["leases"]), 60) and until(tour.answers, 60)
    evidence = [tour.packets("DHCP")]
    if not back and (why := tour.excuse()):
        check.inconclusive(why, evidence=evidence)
        return
    leases = network.status()["services"]["leases"]
    check.judge(
        back,
        observed=f"it took {', '.join(leases.values()) or 'none'}, where its page {'answers' if back else 'does not answer'}",
        evidence=evidence,
    )


def is_set_up(tour: Tour, check: Check) -> bool:
    begin = time.monotonic_ns()
    body = {"secret": tour.secrets["set-up secret"], "password": PASSWORD, "wifi": {"ssid": "canary-net", "key": WIFI_KEY}}
    status, said = tour.ask("POST", "/api/setup", body)
    heard = tour.hears_its_cloud(begin)
    check.control("its owner's secret sets it up", ok=status == 201, detail=str(said)[:200])
    evidence = [tour.kept("control", [heard])]
    check.control("the connection was the sound one", ok=heard.case == "sound", detail=heard.cause)
    registered = heard.outcome == "sent_application_data" and "POST /v1/register" in heard.data
    if not registered and (why := tour.excuse()):
        check.inconclusive(why, evidence=evidence)
        return False
    check.judge(registered, observed=f"{heard.outcome}: {heard.data[:60]!r}", evidence=evidence)
    return check.verdict == "Pass"


def lives_without_names(tour: Tour, check: Check) -> None:
    network = tour.network

    def questions() -> int:
        return int(network.status()["services"]["dns"]["queries"])

    for kind in ("servfail", "silence"):
        network.dns("*", kind)  # type: ignore[arg-type]
        before = questions()
        try:
            begin = tour.starts(check)
            if begin is None:
                return
            asked = until(lambda: questions() > before, 60)  # noqa: B023
            lives = lives_on_the_lan(tour, check, f"names have {kind}")
            check.control(f"{kind}: it asked, and reached nobody", ok=asked and not tour.tls.ended(since_ns=begin))
            if not lives:
                return
        finally:
            network.dns_sound()
    is_back(tour, check, "DNS")


def lives_on_the_lan(tour: Tour, check: Check, what: str) -> bool:
    if tour.answers():
        return True
    evidence = [tour.packets(what)]
    if why := tour.excuse():
        check.inconclusive(why, evidence=evidence)
    else:
        check.fail(observed=f"its page does not answer on the LAN: {what}", evidence=evidence)
    return False


def is_back(tour: Tour, check: Check, what: str) -> None:
    """After an outage: its cloud hears of it again, by itself."""
    heard = tour.hears_its_cloud(time.monotonic_ns())
    evidence = [tour.packets(what)]
    back = heard.outcome == "sent_application_data"
    if not back and (why := tour.excuse()):
        check.inconclusive(why, evidence=evidence)
        return
    check.judge(back, observed=f"its page answered; then its cloud heard of it again ({heard.outcome})", evidence=evidence)


def tells_nobody_else(tour: Tour, case: str, check: Check) -> None:
    """In each of its attempts: who is refused once may be let in when it calls again."""

    def shown() -> list[Intercepted]:
        return [one for one in tour.tls.ended(since_ns=begin or 0) if one.case == case]

    tour.tls.plan([case])
    try:
        begin = tour.starts(check)
        if begin is None:
            return
        first = tour.first(lambda one: one.case == case, begin)
        until(lambda: len(shown()) >= ATTEMPTS, NEXT_ATTEMPT_S)
    finally:
        tour.tls.plan(["sound"])
    heard = tour.hears_its_cloud(time.monotonic_ns())
    attempts = shown()  # those too that ended late
    sound = heard.case == "sound" and heard.outcome == "sent_application_data"
    check.control("with a sound certificate its cloud is told again", ok=sound, detail=heard.cause)
    check.control(f"it was shown the fault {ATTEMPTS} times", ok=len(attempts) >= ATTEMPTS, detail=f"{len(attempts)}; {first.cause}")
    evidence = [tour.kept(f"case-{case}", [*attempts, heard])]
    told = [one for one in attempts if one.outcome == "sent_application_data"]
    unclear = [one for one in attempts if one.outcome not in ("refused_in_handshake", "refused_after_handshake")]
    if told:
        check.fail(observed=f"it sent {told[0].data[:80]!r}", evidence=evidence)
    elif attempts and not unclear:
        check.judge(True, observed=f"{len(attempts)} attempts, the first {first.outcome}: {first.cause}", evidence=evidence)
    else:
        of = unclear[0] if unclear else first
        check.inconclusive(f"{of.outcome}: {of.cause}", evidence=evidence)


def lives_through(tour: Tour, what: str, check: Check) -> None:
    """An outage that it starts in: the LAN lives, its maker's servers do not."""
    host = CLOUD if what == "host" else ""
    rule = "dead_host" if host else "dead_internet"

    def held_back() -> int:
        return int(tour.network.status()["filter"][rule])

    before = held_back()
    with tour.network.outage(what, host=host):  # type: ignore[arg-type]
        begin = tour.starts(check)
        if begin is None:
            return
        met = until(lambda: held_back() > before, 60)
        reached = [one for one in tour.tls.ended(since_ns=begin) if one.name == CLOUD]
        check.control("it tried, and reached nobody", ok=met and not reached)
        if not lives_on_the_lan(tour, check, what):
            return
    is_back(tour, check, what)


def comes_back_after(tour: Tour, what: str, check: Check) -> None:
    """An outage in which nothing reaches it."""
    if not check.control("it answers before", ok=until(tour.answers, 60)):
        check.inconclusive("it did not answer before the outage")
        return
    with tour.network.outage(what):  # type: ignore[arg-type]
        check.control("it cannot be reached", ok=not reachable(tour))
    back = until(tour.answers, 60)
    if not back and (why := tour.excuse()):
        check.inconclusive(why)
        return
    check.judge(back, observed="its page answers again" if back else "its page does not answer again", evidence=[tour.packets(what)])


def reachable(tour: Tour) -> bool:
    try:
        tour.network.connect(tour.network.address(), API, timeout_s=3).close()
    except hilcop.Error:
        return False
    return True


def opens_nothing_else(tour: Tour, watch: PortWatch, check: Check) -> None:
    """Of the ports that were asked for every 0.2 s during a start."""
    refused = {port.port for port in watch.ports if port.port != API and port.answered > port.open}
    check.control("the others said no, which takes somebody who is there", ok=refused == set(WATCHED) - {API}, detail=str(sorted(refused)))
    check.control(
        "it was asked without a pause", ok=watch.failure is None and watch.longest_gap_s < 2, detail=f"{watch.longest_gap_s:.2f} s"
    )
    check.control(f"{API} was seen open", ok=API in watch.seen_open)
    ports = [f"{port.address} {port.port}: {port.open} of {port.answered}" for port in watch.ports]
    evidence = [tour.run.attach("ports.txt", "\n".join(ports) + "\n")]
    check.judge(watch.seen_open <= {API}, observed=f"open: {sorted(watch.seen_open)}", evidence=evidence)


def keeps_secrets(tour: Tour, check: Check) -> None:
    network = tour.network
    if not check.control("it answers", ok=until(tour.answers, 60)):
        check.inconclusive("it did not answer, so that the control cannot be made")
        return
    before = network.find_canaries(tour.secrets)
    # The control: the same words in the plain, on the same way, are found.
    with network.connect(network.address(), API, timeout_s=30) as plain:
        body = json.dumps(tour.secrets)
        plain.sendall(f"POST /api/setup HTTP/1.1\r\nHost: device\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        plain.settimeout(10)
        with suppress(OSError):  # it may reset, or say nothing
            while plain.recv(4096):
                pass  # an alert, and its end
    after = network.find_canaries(tour.secrets)
    check.control("all of the capture was looked through", ok=before.complete and after.complete, detail="; ".join(after.limits))
    check.control("said in the plain, each is found", ok={one.canary for one in after.findings} >= set(tour.secrets))
    found = sorted({f"{one.canary} ({one.form}) to {one.receiver}" for one in before.findings})
    check.judge(not found, observed="; ".join(found) or "none of them in the plain", evidence=[tour.packets("everything")])


@contextmanager
def off_at_the_end(dut: Dut) -> Iterator[None]:
    """However it ends. Each part begins with a start of its own, so that it is off until then."""
    try:
        yield
    finally:
        dut.power.off()


@contextmanager
def wrong_time(dut: Dut) -> Iterator[None]:
    """Whoever asks the bench for the time is told one of long ago."""
    dut.network.ntp(offset_s=TWENTY_YEARS_S)
    try:
        yield
    finally:
        dut.network.ntp()


@scenario(
    "HT1-NETWORK",
    title="The reference device on a network that is the bench's",
    clauses=["5.5-1"],
    roles=["power", "console", "network"],
    board_keys=["boot_stages"],
    timeout_s=900,
)
def network(dut: Dut, run: Run) -> None:
    address = run.check("address", expected="it takes an address as soon as it is given one", clauses=["5.9-1"])
    cloud = run.check("cloud", expected="set up, it tells its maker's server what it has to", clauses=["5.5-1"])
    names = run.check("no names", expected="without names it works on the LAN, and finds its cloud again", clauses=["5.9-2"])
    cases = {case: run.check(f"case {case}", expected="a server that is not its maker's is told nothing") for case in CASES}
    ports = run.check("ports", expected=f"while it starts no port but {API} is ever open", clauses=["5.6-1"])
    alive = {
        what: run.check(f"outage {what}", expected="it works on the LAN, and finds its cloud again", clauses=["5.9-2"])
        for what in ("internet", "host")
    }
    back = {what: run.check(f"outage {what}", expected="it comes back", clauses=["5.9-1"]) for what in ("link", "wire", "gateway")}
    destinations = run.check("destinations", expected="it goes to its maker's servers alone", clauses=["5.5-1"])
    clock = run.check("clock", expected="it asks no time server, so that none can move its clock", clauses=["5.5-1"])
    plain = run.check("plain", expected="it says nothing to anybody without TLS", clauses=["5.5-1"])
    secrets = run.check("secrets", expected="what its owner told it goes nowhere in the plain", clauses=["5.5-7"])
    with off_at_the_end(dut), wrong_time(dut):
        tour = Tour(dut, run)
        takes_an_address(tour, address)
        if not is_set_up(tour, cloud):
            return
        with dut.network.watch_ports(WATCHED) as watch, run.step("starts without names"):
            lives_without_names(tour, names)
        opens_nothing_else(tour, watch, ports)
        for index, (case, check) in enumerate(cases.items()):
            with run.step(case, index=index + 1, of=len(cases)):
                tells_nobody_else(tour, case, check)
        for what, check in back.items():
            with run.step(f"outage: {what}"):
                comes_back_after(tour, what, check)
        for what, check in alive.items():
            with run.step(f"outage: {what}"):
                lives_through(tour, what, check)
        report = dut.network.read()
        for check in (destinations, clock, plain):
            check.control("the capture has all that passed", ok=report.complete, detail="; ".join(report.limits))
        goes_to_its_maker_alone(tour, report, destinations)
        asks_no_time(tour, report, clock)
        speaks_tls_alone(tour, report, plain)
        keeps_secrets(tour, secrets)
