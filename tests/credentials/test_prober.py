# SPDX-License-Identifier: Apache-2.0
"""What the prober makes of a device's answers: devices that lock, slow down, let everybody in, go away. Each is played by a function."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import hilcop
import pytest
from hilcop.credentials import LoginProbe, pairs_of, try_console_logins
from hilcop.credentials.answers import Answer, Outcome, Unintelligible
from hilcop.credentials.login_probe import Attempt, throttling_of
from hilcop.credentials.pairs import Pair
from hilcop.credentials.prober import Asked, probe
from rig import pace

RIGHT = ("admin", "s3cret-of-the-lab")
GUESSES = [("admin", f"guess{number}") for number in range(12)]

Device = Callable[[Pair | None, float], Answer]


class Sound:
    """Takes the right password alone, and keeps what it was asked."""

    def __init__(self, *also: tuple[str, str]) -> None:
        self.takes = {Pair(*pair) for pair in (RIGHT, *also)}
        self.asked: list[Pair | None] = []

    def __call__(self, pair: Pair | None, end: float) -> Answer:
        assert end > time.monotonic()
        self.asked.append(pair)
        return self.answer(pair)

    def answer(self, pair: Pair | None) -> Answer:
        return Answer("accepted" if pair in self.takes else "refused")


class Locks(Sound):
    """After so many failures in a row, until it was asked so often: by words, by silence, or by refusing all."""

    def __init__(self, after: int, how: Outcome, asks: int = 1000) -> None:
        super().__init__()
        self.after, self.how, self.asks, self.failures = after, how, asks, 0

    def answer(self, pair: Pair | None) -> Answer:
        if self.failures >= self.after and self.asks > 0:
            self.asks -= 1
            if self.how == "disconnected":
                raise ConnectionResetError
            return Answer(self.how)
        answer = super().answer(pair)
        self.failures = 0 if answer.outcome == "accepted" else self.failures + (pair is not None)
        return answer


class Clock:
    """The prober's, that goes on only where it waits and where a device takes its time: by it no host is late. Ahead of the real one."""

    def __init__(self) -> None:
        self.now_ns = time.monotonic_ns() + 1000 * 10**9

    def monotonic(self) -> float:
        return self.now_ns / 1e9

    def monotonic_ns(self) -> int:
        return self.now_ns

    def wait_until(self, moment_ns: int) -> None:
        self.now_ns = max(self.now_ns, moment_ns)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("hilcop.credentials.prober.time", made)
    monkeypatch.setattr("hilcop.credentials.prober.wait_until", made.wait_until)
    return made


def run(device: Device, pairs: Any = GUESSES, control: tuple[str, str] | None = RIGHT, needs_user: bool = True, **how: Any) -> LoginProbe:
    return probe(Asked("played", "device", device, True, needs_user), pairs, control, pace(**how))


def test_a_sound_device_refuses_all_and_that_is_proved() -> None:
    device = Sound()
    done = run(device)
    assert done.complete, done.incomplete
    assert (len(done.attempts), done.accepted, done.lockout, done.throttling) == (12, (), None, None)
    assert (done.open_to_all, done.accepts_anything) == (False, False)
    assert [attempt.index for attempt in done.attempts] == list(range(12))
    assert device.asked[0] is None
    assert device.asked[1] == device.asked[-2] == Pair(*RIGHT)
    assert {device.asked[2], device.asked[-1]}.isdisjoint({None, Pair(*RIGHT)})
    assert device.asked[2] != device.asked[-1], "made up twice"
    assert len(done.controls) == 1, "after ten of twelve"
    assert "s3cret" not in str(done.as_json())
    assert "guess" not in str(done.as_json())


def test_a_default_password_is_found_and_told_by_its_index() -> None:
    done = run(Sound(GUESSES[7]))
    assert [(attempt.index, attempt.user) for attempt in done.accepted] == [(7, "admin")]
    assert done.complete
    assert done.summary()["accepted_indices"] == [7]


def test_without_a_control_nothing_is_proved() -> None:
    done = run(Sound(GUESSES[7]), control=None)
    assert [attempt.index for attempt in done.accepted] == [7], "what is accepted is proved all the same"
    assert done.incomplete == "there is no control log-in: nothing shows that a success would be seen"


def test_a_device_that_refuses_the_right_password_is_not_tried() -> None:
    device = Sound()
    done = run(device, control=("admin", "of another device"))
    assert not done.complete
    assert "not accepted before" in str(done.incomplete)
    assert done.attempts == ()
    assert len(device.asked) == 2


def test_a_device_that_takes_anything_proves_nothing_of_a_list() -> None:
    done = run(lambda pair, _: Answer("refused" if pair is None else "accepted"))
    assert done.accepts_anything
    assert not done.complete
    assert done.attempts == ()


def test_one_that_needs_no_credentials_is_told_and_its_passwords_are_tried_all_the_same() -> None:
    """As a broker that lets anonymous clients in, and has users too."""
    done = run(lambda pair, _: Answer("accepted" if pair in (None, Pair(*RIGHT)) else "refused"))
    assert done.open_to_all
    assert done.complete


@pytest.mark.parametrize(
    ("how", "sign", "tried", "threshold"),
    [("locked_out", "said", 5, 5), ("disconnected", "cut_off", 7, 5), ("no_answer", "cut_off", 7, 5), ("refused", "control", 10, 11)],
)
def test_a_lockout_is_seen_and_ends_the_guessing(how: Outcome, sign: str, tried: int, threshold: int) -> None:
    device = Locks(5, how)
    done = run(device, timeout_s=3)
    assert done.lockout is not None
    assert (done.lockout.sign, done.lockout.threshold) == (sign, threshold)
    assert done.lockout.duration_s is None
    assert len(done.attempts) == tried
    assert not done.complete
    assert f"pairs were not tried: the device locks out ({sign})" in str(done.incomplete)


def test_a_silent_lockout_is_no_refusal_though_every_pair_was_answered() -> None:
    """The worst there is: a default password that a locked device refuses."""
    device = Locks(5, "refused")
    device.takes.add(Pair(*GUESSES[9]))
    done = run(device, control_every=0, timeout_s=3)
    assert {attempt.outcome for attempt in done.attempts} == {"refused"}
    assert len(done.attempts) == 12
    assert done.lockout is not None
    assert (done.lockout.sign, done.lockout.threshold) == ("control", 13)
    assert done.incomplete == "the device locks out (control) after 13 failed log-ins"


def test_how_long_a_lockout_lasts_is_measured_by_the_control(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hilcop.credentials.prober.CONTROL_EVERY_S", 0.1)
    done = run(Locks(5, "locked_out", asks=4), timeout_s=10)
    assert done.lockout is not None
    assert done.lockout.duration_s is not None
    assert 0.2 <= done.lockout.duration_s < 5
    assert [attempt.outcome for attempt in done.control_after] == ["locked_out"] * 3 + ["accepted"]
    assert not done.complete


def test_it_goes_on_where_that_is_asked_for() -> None:
    done = run(Locks(5, "locked_out", asks=2), stop_at_lockout=False)
    assert done.outcomes == {"refused": 10, "locked_out": 2}
    assert not done.complete, "two pairs were not judged"


def test_a_device_that_restarts_in_the_middle_is_not_complete() -> None:
    asked = 0

    def device(pair: Pair | None, end: float) -> Answer:
        nonlocal asked
        asked += 1
        if asked == 6:
            raise EOFError
        return Sound()(pair, end)

    done = run(device)
    assert done.outcomes == {"refused": 11, "disconnected": 1}
    assert done.lockout is None
    assert "1 of 12 pairs were not answered" in str(done.incomplete)


def test_another_refusal_than_the_one_of_a_wrong_password_is_not_understood() -> None:
    done = run(
        lambda pair, _: Answer("refused", shape="b" if pair == Pair(*GUESSES[3]) else "a") if pair != Pair(*RIGHT) else Answer("accepted")
    )
    assert done.attempts[3].outcome == "not_understood"
    assert not done.complete


@pytest.mark.parametrize(
    ("later", "why"),
    [
        (Answer("accepted"), "not refused after them: accepted"),
        (
            Answer("refused", "whoever", shape="other"),
            "not refused after them: not_understood (another answer than to a wrong password: whoever)",
        ),
        (Answer("no_answer"), "not refused after them: no_answer"),
    ],
)
def test_a_device_that_does_not_refuse_a_wrong_password_any_more_proves_nothing(later: Answer, why: str) -> None:
    """All pairs were refused, and the control is taken at the end too."""
    device = Sound()
    done = run(lambda pair, end: later if len(device.asked) == 3 + 12 + 2 else device(pair, end))
    assert done.outcomes == {"refused": 12}
    assert done.control_after[-1].outcome == "accepted"
    assert not done.complete
    assert why in str(done.incomplete)
    assert done.accepts_anything is (later.outcome == "accepted")
    assert done.as_json()["wrong_after"]["outcome"] != "refused"


def test_a_wrong_password_that_there_was_no_time_for_is_told(clock: Clock) -> None:
    device = Sound()

    def slow(pair: Pair | None, end: float) -> Answer:
        if len(device.asked) == 3 + 12 + 1:
            clock.now_ns += 3_500_000_000
        return device(pair, end)

    assert run(slow, timeout_s=3).incomplete == "there was no time for a surely wrong password after them"


def test_slower_and_slower_answers_are_told() -> None:
    def attempts(*times: float) -> list[Attempt]:
        return [Attempt(None, "a", "refused", "", 0, took) for took in times]

    assert throttling_of(attempts(0.1, 0.1, 0.1, 0.1, 0.1, 0.1)) is None
    assert throttling_of(attempts(0.1, 0.1, 3, 0.1, 0.1, 0.1)) is None, "one slow answer is none"
    assert throttling_of(attempts(2, 2.1, 2, 2.2, 1.9, 2)) is None, "always the same"
    found = throttling_of(attempts(0.1, 0.2, 0.1, 1, 2, 4))
    assert found is not None
    assert (found.threshold, found.before_s, found.after_s) == (3, 0.1, 2)


def test_it_is_no_faster_than_asked_and_says_how_fast_it_was() -> None:
    begin = time.monotonic()
    done = run(Sound(), GUESSES[:5], interval_s=0.05)
    assert time.monotonic() - begin >= 8 * 0.05
    starts = [attempt.at_ns for attempt in done.attempts]
    assert all(later - earlier >= 50_000_000 for earlier, later in itertools.pairwise(starts))
    assert 10 < done.rate_per_min <= 1200


@pytest.mark.usefixtures("clock")
def test_what_there_was_no_time_for_is_told() -> None:
    done = run(Sound(), interval_s=0.1, timeout_s=1.05)
    assert "4 of 12 pairs were not tried in 1.05 s" in str(done.incomplete)
    assert len(done.attempts) == 8, "after three controls"
    done = run(Sound(), max_attempts=4)
    assert len(done.attempts) == 4
    assert "8 of 12 pairs were not tried: there were to be 4 attempts" in str(done.incomplete)


def test_a_password_is_tried_once_where_no_user_is_asked_for() -> None:
    device = Sound()
    done = run(device, [("a", "x"), ("b", "x"), ("c", "y")], needs_user=False)
    assert [attempt.index for attempt in done.attempts] == [0, 2]
    assert done.pairs == 2


def test_a_password_that_the_device_repeats_is_not_kept() -> None:
    def device(pair: Pair | None, _: float) -> Answer:
        return Answer("accepted" if pair == Pair(*RIGHT) else "refused", f"you said {pair.password if pair else ''}")

    assert "guess" not in str(run(device).as_json())
    assert RIGHT[1] not in str(run(device).as_json())


@pytest.mark.parametrize(
    ("raises", "outcome"),
    [
        (TimeoutError(), "no_answer"),
        (ConnectionRefusedError(111, "refused"), "disconnected"),
        (EOFError(), "disconnected"),
        (OSError(113, "No route to host"), "disconnected"),
        (Unintelligible("what?"), "not_understood"),
    ],
)
def test_what_goes_wrong_is_an_outcome(raises: Exception, outcome: Outcome) -> None:
    def device(_: Pair | None, __: float) -> Answer:
        raise raises

    done = run(device)
    assert done.without is not None
    assert done.without.outcome == outcome
    assert not done.complete
    assert done.attempts == ()


@pytest.mark.parametrize("kind", ["NotFound", "Timeout", "Disconnected", "Protocol"])
@pytest.mark.parametrize("at", ["network", "console"])
def test_what_fails_of_the_bench_is_no_answer_of_the_device(kind: str, at: str) -> None:
    """Also where it is one of Python's TimeoutError or ConnectionError at the same time."""
    failure = hilcop.errors.make(kind, "relay", "has gone", "look", "relay has gone")

    class Login:
        protocol, target, needs_user = "played", "console", True

        def attempt(self, _: Pair | None, __: float) -> Answer:
            raise failure

    login = Login()
    with pytest.raises(type(failure), match="relay has gone"):
        run(login.attempt) if at == "network" else try_console_logins(login, GUESSES, control=RIGHT, interval_s=0, timeout_s=20)


def test_a_device_that_a_watcher_of_its_console_saw_die_has_not_answered() -> None:
    class Login:
        protocol, target, needs_user = "played", "console", True

        def attempt(self, _: Pair | None, __: float) -> Answer:
            raise hilcop.errors.make("Protocol", "console a", "died: panic: Kernel panic", "", "died")

    done = try_console_logins(Login(), GUESSES, control=RIGHT, interval_s=0, timeout_s=20)
    assert done.without is not None
    assert (done.without.outcome, done.without.said) == ("disconnected", "died: panic: Kernel panic")


@pytest.mark.parametrize("how", [{"interval_s": -1}, {"max_attempts": 0}, {"control_every": -1}, {"timeout_s": 0}, {"answer_within_s": 0}])
def test_a_pace_that_makes_no_sense_is_refused(how: dict[str, Any]) -> None:
    with pytest.raises(hilcop.ConfigError, match="out of range"):
        pace(**how)


def test_lists_are_given_in_any_form() -> None:
    assert run(Sound(), "mirai").list_name == "mirai"
    assert run(Sound(), pairs_of(GUESSES, name="mine")).list_name == "mine"
