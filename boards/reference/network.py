# SPDX-License-Identifier: Apache-2.0
"""HT1-NETWORK: the reference device on a network that is the bench's: addresses, names and time that fail and lie, servers that are not its
maker's, outages, its ports while it starts, and what its owner told it, looked for in all that it said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import hilcop
from _network_tour import API, BROKER, CLOUD, PASSWORD, TOKEN, WIFI_KEY, Misbehaved, Tour, judging
from _network_wire import WATCHED, asks_no_time, goes_to_its_maker_alone, opens_nothing_else, speaks_tls_alone
from hilcop import Check, Dut, Run, scenario
from hilcop.intercept_cases import InterceptCase
from hilcop.interception import HttpAnswer, Intercepted
from hilcop.network_status import NetworkStatus, WireCounts
from hilcop.outages import Outage

# All but `revoked`, which concerns a device whose maker declares that it looks for revocation. This one's declares that it does not
# (declaration/ixit.yaml, SecComMech-2), and so it cannot know; EN 303 645 5.5-1 asks for best practice cryptography and names no
# revocation, and TS 103 701 (5.5-1-2) holds a device against what is declared.
CASES: tuple[InterceptCase, ...] = (
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
TWENTY_YEARS_S = -20 * 365 * 86400.0
ATTEMPTS, NEXT_ATTEMPT_S = 2, 10.0  # that a fault is shown in, and how long its next one is waited for
LONGEST_S = 60.0  # of one connection (hilcop.interception)
OUTAGE_S, SETTLES_S = 5.0, 0.5  # how long nobody reaches it; when what was on its way has arrived


def takes_an_address(tour: Tour, check: Check) -> bool:
    """Nobody gives it one at first; then a server does. Whether its page answers now."""
    network = tour.network

    def asked() -> int:
        return int(network.status()["services"]["dhcp"]["received"])

    before = asked()
    network.dhcp(no_answer=True)
    try:
        if tour.starts(check) is None:
            return False
        has_asked = tour.until(lambda: asked() > before, 60)
        without = not tour.lease()
    finally:
        network.dhcp()
    check.control("it asked, and got nothing", ok=has_asked and without)
    back = tour.until(lambda: bool(tour.lease()), 60) and tour.until(tour.answers, 60)
    evidence = [tour.packets("DHCP")]
    if not back and (why := tour.excuse()):
        check.inconclusive(why, evidence=evidence)
        return False
    check.judge(
        back,
        observed=f"it took {tour.lease() or 'none'}, where its page {'answers' if back else 'does not answer'}",
        evidence=evidence,
    )
    return back


def is_set_up(tour: Tour, check: Check) -> bool:
    """Whether it is, and its cloud was told: the rest rests on that."""
    begin = tour.clock.now_ns()
    body = {"secret": tour.secrets["set-up secret"], "password": PASSWORD, "wifi": {"ssid": "canary-net", "key": WIFI_KEY}}
    try:
        status, said = tour.ask("POST", "/api/setup", body)
    except Misbehaved as error:
        evidence = [tour.packets("set-up")]
        if why := tour.excuse():
            check.inconclusive(why, evidence=evidence)
        else:
            check.fail(observed=f"what its owner tells it is not answered: {error}", evidence=evidence)
        return False
    if not check.control("its owner's secret sets it up", ok=status == 201, detail=f"{status} {str(said)[:200]}"):
        check.inconclusive(f"it cannot be set up, perhaps for it has been already: {status}", evidence=[tour.packets("set-up")])
        return False
    heard = tour.hears_its_cloud(begin)
    evidence = [tour.kept("control", [heard])]
    check.control("the connection was the sound one", ok=heard.case == "sound", detail=heard.cause)
    registered = heard.outcome == "sent_application_data" and "POST /v1/register" in heard.data
    if not registered and (why := tour.excuse()):
        check.inconclusive(why, evidence=evidence)
        return False
    check.judge(registered, observed=f"{heard.outcome}: {heard.data[:60]!r}", evidence=evidence)
    return check.verdict == "Pass"


def calls_its_broker(tour: Tour, check: Check) -> None:
    """Its register call is answered as its maker's server does, with a token: so it goes on to its broker, where that is its password."""
    tour.tls.answer([HttpAnswer("/v1/register", json.dumps({"token": TOKEN}), server_name=CLOUD)])
    begin = tour.starts(check)
    if begin is None:
        tour.untold = tour.busy
        return
    heard = tour.first(lambda one: one.outcome in ("sent_application_data", "not_tls"), begin, server_name=BROKER)
    evidence = [tour.kept("broker", [heard])]
    asked = [one for one in tour.tls.ended(server_name=CLOUD, since_ns=begin) if one.outcome == "sent_application_data"]
    tour.told_token = any("POST /v1/register" in one.data for one in asked)
    tour.untold = "" if tour.told_token else tour.excuse()
    check.control("it registered, and was answered", ok=tour.told_token)
    if heard.outcome == "not_tls":
        check.inconclusive("it speaks to its broker without TLS, which is for the check `plain` to judge", evidence=evidence)
        return
    called = heard.outcome == "sent_application_data" and "/state" in heard.data
    if not called and (why := tour.excuse()):
        check.inconclusive(why, evidence=evidence)
        return
    check.judge(called, observed=f"{heard.outcome}: {heard.data[:80]!r}", evidence=evidence)


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
            asked = tour.until(lambda: questions() > before, 60)  # noqa: B023
            lives = lives_on_the_lan(tour, check, f"names have {kind}")
            check.control(f"{kind}: it asked, and reached nobody", ok=asked and tour.reached_nobody(begin))
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
    heard = tour.hears_its_cloud(tour.clock.now_ns())
    evidence = [tour.packets(what)]
    back = heard.outcome == "sent_application_data"
    if not back and (why := tour.excuse()):
        check.inconclusive(why, evidence=evidence)
        return
    check.judge(back, observed=f"its page answered; then its cloud heard of it again ({heard.outcome})", evidence=evidence)


def tells_nobody_else(tour: Tour, case: InterceptCase, check: Check) -> None:
    """In each of its attempts: who is refused once may be let in when it calls again. A connection is given its case when it says what it
    wants, so that one that stood already may be given this one, too; and one that goes on may still say something."""
    tour.dut.power.off()  # what it said until now was of another case
    planned = tour.clock.now_ns()
    since = planned - int(LONGEST_S * 1e9)

    def shown() -> list[Intercepted]:
        return [one for one in tour.tls.ended(since_ns=since) if one.case == case]

    def to_its_cloud() -> int:
        return sum(one.name == CLOUD for one in shown())

    away = tour.turned_away()
    tour.tls.plan([case])
    try:
        begin = tour.starts(check)
        if begin is None:
            return
        first = tour.first(lambda one: one.case == case, begin)
        tour.until(lambda: to_its_cloud() >= ATTEMPTS, NEXT_ATTEMPT_S)
    finally:
        tour.tls.plan(["sound"])
    over = tour.clock.now_ns()
    heard = tour.hears_its_cloud(over)
    # At a moment when none goes on at all, which is simpler to know than which of them are of this case.
    ended = tour.until(lambda: not tour.tls.going(since_ns=since), LONGEST_S)
    attempts, calls = shown(), to_its_cloud()
    plain = [one for one in tour.tls.ended(since_ns=planned) if one.outcome == "not_tls" and one.data and one.all["accepted_ns"] < over]
    sound = heard.case == "sound" and heard.outcome == "sent_application_data"
    check.control("with a sound certificate its cloud is told again", ok=sound, detail=heard.cause)
    check.control(f"it was shown the fault {ATTEMPTS} times", ok=calls >= ATTEMPTS, detail=f"{calls}; {first.cause}")
    check.control("what it said was heard to its end", ok=ended, detail="" if ended else f"for {LONGEST_S:g} s a connection went on")
    check.control("the bench took each connection", ok=tour.turned_away() == away)
    evidence = [tour.kept(f"case-{case}", [*attempts, *plain, heard])]
    if not any(one.outcome == "sent_application_data" for one in attempts) and tour.excused(check, evidence):
        return
    told = [one for one in attempts if one.outcome == "sent_application_data"]
    unclear = [one for one in attempts if one.outcome not in ("refused_in_handshake", "refused_after_handshake")]
    if told:
        check.fail(observed=f"it sent {told[0].data[:80]!r}", evidence=evidence)
    elif unclear or not attempts:
        of = unclear[0] if unclear else first
        check.inconclusive(f"{of.outcome}: {of.cause}", evidence=evidence)
    elif plain:  # which is no answer to this fault, but to nobody's certificate: `plain` fails for it
        check.inconclusive(f"meanwhile it told somebody without TLS: {plain[0].data[:80]!r}", evidence=evidence)
    else:
        check.judge(True, observed=f"{len(attempts)} attempts, the first {first.outcome}: {first.cause}", evidence=evidence)


def lives_through(tour: Tour, what: Outage, check: Check) -> None:
    """An outage that it starts in: the LAN lives, its maker's servers do not."""
    host = CLOUD if what == "host" else ""
    rule = "dead_host" if host else "dead_internet"

    def held_back() -> int:
        return int(tour.network.status()["filter"].get(rule, 0))

    before = held_back()
    with tour.network.outage(what, host=host):
        begin = tour.starts(check)
        if begin is None:
            return
        met = tour.until(lambda: held_back() > before, 60)
        check.control("it tried, and reached nobody", ok=met and tour.reached_nobody(begin, CLOUD))
        if not lives_on_the_lan(tour, check, what):
            return
    is_back(tour, check, what)


def comes_back_after(tour: Tour, what: Outage, check: Check) -> None:
    """An outage in which nothing reaches it."""
    if not check.control("it answers before", ok=tour.until(tour.answers, 60)):
        check.inconclusive(tour.excuse() or "it did not answer before the outage")
        return
    with tour.network.outage(what):
        tour.clock.wait(SETTLES_S)
        before, end = tour.network.status(), tour.clock.now_ns() + int(OUTAGE_S * 1e9)
        reached = False
        while not reached and tour.clock.now_ns() < end:
            reached = reachable(tour)
            tour.clock.wait(SETTLES_S)
        after = tour.network.status()
    wrong = passed(what, before, after)
    check.control(f"nobody reached it for {OUTAGE_S:g} s", ok=not reached)
    check.control("nothing passed", ok=not wrong, detail=wrong)
    back = tour.until(tour.answers, 60)
    evidence = [tour.packets(what)]
    if tour.excused(check, evidence):
        return
    if not back and (why := tour.excuse()):
        check.inconclusive(why, evidence=evidence)
        return
    check.judge(back, observed="its page answers again" if back else "its page does not answer again", evidence=evidence)


def reachable(tour: Tour) -> bool:
    """Whether anybody is there: who refuses is."""
    try:
        tour.connect(timeout_s=3).close()
    except Misbehaved as error:
        return isinstance(error.__cause__, hilcop.DisconnectedError)
    return True


def passed(what: Outage, before: NetworkStatus, after: NetworkStatus) -> str:
    """What the wire counted that speaks against an outage of that kind, or that nobody asked anything in it; empty: nothing does. This
    device tells nowhere that it noticed. But without a link it is dumb, and else each frame is counted, or never comes to the wire."""
    out, to = grown(before["from_device"], after["from_device"]), grown(before["to_device"], after["to_device"])
    if what == "gateway":
        return f"{to['came']} frames came from the gateway" if to["came"] else ""
    got_through = out["came"] if what == "link" else out["passed"] + to["passed"]
    if got_through:
        return f"{got_through} frames {'came from it' if what == 'link' else 'passed'}"
    return "" if to["came"] else "no frame was for it"


def grown(before: WireCounts, after: WireCounts) -> dict[str, int]:
    came = after["arrived"] - before["arrived"] + after["cut"] - before["cut"]
    return {"came": came, "passed": after["passed"] - before["passed"]}


def keeps_secrets(tour: Tour, check: Check) -> None:
    network = tour.network
    answers = check.control("it answers", ok=tour.until(tour.answers, 60))
    check.control("its cloud had told it the token", ok=tour.told_token)
    before = network.find_canaries(tour.secrets)
    complete, limits = before.complete, before.limits
    if answers and says_in_the_plain(tour, check):  # the control: the same words, on the same way
        after = network.find_canaries(tour.secrets)
        complete, limits = complete and after.complete, after.limits
        check.control("said in the plain, each is found", ok={one.canary for one in after.findings} >= set(tour.secrets))
    check.control("all of the capture was looked through", ok=complete, detail="; ".join(limits))
    found = sorted({f"{one.canary} ({one.form}) to {one.receiver}" for one in before.findings})
    evidence = [tour.packets("everything")]
    if not found and tour.untold:
        check.inconclusive(f"its cloud told it no token: {tour.untold}", evidence=evidence)
        return
    check.judge(not found, observed="; ".join(found) or "none of them in the plain", evidence=evidence)


def says_in_the_plain(tour: Tour, check: Check) -> bool:
    try:
        plain = tour.connect(timeout_s=30)
    except Misbehaved as error:
        return check.control("it is there to be told", ok=False, detail=str(error))
    body = json.dumps(tour.secrets)
    end = tour.clock.now_ns() + 30_000_000_000
    with plain, suppress(OSError):  # it may reset, or say nothing: what it was told is in the capture all the same
        plain.settimeout(10)
        plain.sendall(f"POST /api/setup HTTP/1.1\r\nHost: device\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        while plain.recv(4096) and tour.clock.now_ns() < end:
            pass  # an alert, and its end
    return True


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
    ports = run.check("ports", expected=f"while it starts none of {len(WATCHED)} usual ports but {API} is ever open", clauses=["5.6-1"])
    lives: tuple[Outage, ...] = ("internet", "host")
    cut_off: tuple[Outage, ...] = ("link", "wire", "gateway")
    alive = {
        what: run.check(f"outage {what}", expected="it works on the LAN, and finds its cloud again", clauses=["5.9-2"]) for what in lives
    }
    back = {what: run.check(f"outage {what}", expected="it comes back", clauses=["5.9-1"]) for what in cut_off}
    broker = run.check("broker", expected="registered, it tells its maker's broker its state", clauses=["5.5-1"])
    destinations = run.check("destinations", expected="it goes to its maker's servers alone", clauses=["5.5-1"])
    clock = run.check("clock", expected="it asks no time server, so that none can move its clock", clauses=["5.5-1"])
    plain = run.check("plain", expected="it says nothing to anybody without TLS", clauses=["5.5-1"])
    secrets = run.check("secrets", expected="what its owner and its cloud told it goes nowhere in the plain", clauses=["5.5-7"])
    with off_at_the_end(dut), wrong_time(dut):
        tour = Tour(dut, run)
        set_up = False
        with judging(cloud):
            set_up = takes_an_address(tour, address) and is_set_up(tour, cloud)
        if not set_up:
            return  # nobody can say anything of the rest
        dut.power.off()  # so that the first answers of its ports are those of a start
        made = tour.starts_made
        with dut.network.watch_ports(WATCHED) as watch, run.step("starts without names"), judging(names):
            lives_without_names(tour, names)
        opens_nothing_else(tour, watch, tour.starts_made - made, ports)
        for index, (case, check) in enumerate(cases.items()):
            with run.step(case, index=index + 1, of=len(cases)), judging(check):
                tells_nobody_else(tour, case, check)
        for what, check in back.items():
            with run.step(f"outage: {what}"):
                comes_back_after(tour, what, check)
        for what, check in alive.items():
            with run.step(f"outage: {what}"), judging(check):
                lives_through(tour, what, check)
        with run.step("its broker"), judging(broker):
            calls_its_broker(tour, broker)
        report = dut.network.read()
        for check in (destinations, clock, plain):
            check.control("the capture has all that passed", ok=report.complete, detail="; ".join(report.limits))
        goes_to_its_maker_alone(tour, report, destinations)
        asks_no_time(tour, report, clock)
        speaks_tls_alone(tour, report, plain)
        keeps_secrets(tour, secrets)
