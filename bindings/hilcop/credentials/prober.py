# SPDX-License-Identifier: Apache-2.0
"""Tries log-ins, one after the other and gently, with the controls that make a refusal mean something."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from hilcop._hilcop import wait_until
from hilcop.credentials.answers import Answer, ConsoleLogin, Unintelligible, lockout_said, shown
from hilcop.credentials.login_probe import ANSWERED, Attempt, Lockout, LoginProbe, Sign, throttling_of
from hilcop.credentials.pairs import Pair, PairList, known_list, pairs_of
from hilcop.credentials.secrecy import forms_of, hiding
from hilcop.errors import ConfigError, Error, ProtocolError, make

AWAY = 3  # log-ins in a row that nobody answers: the device is not there, or wants no more
CONTROL_EVERY_S = 5.0  # while a device is locked

Pairs = PairList | str | Iterable[tuple[str, str]]


@dataclass(frozen=True)
class Pace:
    """How a device is asked. ConfigError where it makes no sense."""

    interval_s: float  # from one log-in's begin to the next one's, at least
    answer_within_s: float
    max_attempts: int
    control_every: int  # pairs; 0: never
    stop_at_lockout: bool
    timeout_s: float  # of all

    def __post_init__(self) -> None:
        sound = self.interval_s >= 0 and self.answer_within_s > 0 and self.max_attempts > 0 and self.control_every >= 0
        if not (sound and self.timeout_s > 0):
            cause = "an interval, a time, a number of attempts or of controls is out of range"
            raise make("Config", "log-ins", cause, "see try_logins()", f"log-ins: {cause}; see try_logins()")


@dataclass(frozen=True)
class Asked:
    """What is asked, and how one log-in of it is tried by a time of time.monotonic()."""

    protocol: str
    target: str
    attempt: Callable[[Pair | None, float], Answer]
    tries_without: bool = True
    needs_user: bool = True


@dataclass
class _Found:
    without: Attempt | None = None
    control_before: Attempt | None = None
    wrong: Attempt | None = None
    refusal: Answer = field(default_factory=lambda: Answer("refused"))  # to that
    attempts: list[Attempt] = field(default_factory=list)
    controls: list[Attempt] = field(default_factory=list)
    control_after: list[Attempt] = field(default_factory=list)
    wrong_after: Attempt | None = None
    failed: int = 0  # since the last one that succeeded
    unanswered: int = 0  # in a row
    lockout: Lockout | None = None


def probe(asked: Asked, pairs: Pairs, control: tuple[str, str] | None, pace: Pace) -> LoginProbe:
    """Blocks `pace.timeout_s` at most; between two log-ins it ends on Ctrl-C. Raises ConfigError (of the pairs), and what the bench itself
    fails of."""
    return _Probing(asked, list_of(pairs), control, pace).run()


def try_console_logins(
    login: ConsoleLogin,
    pairs: Pairs,
    *,
    control: tuple[str, str] | None = None,
    interval_s: float = 1.0,
    answer_within_s: float = 30,
    max_attempts: int = 1000,
    control_every: int = 10,
    stop_at_lockout: bool = True,
    timeout_s: float = 3600,
) -> LoginProbe:
    """The same as Network.try_logins() at a console: SerialLogin(dut.console), UBootLogin(dut.console, dut.reset). Raises what the console
    and `restart` fail of (DisconnectedError, TimeoutError, ProtocolError): they are the bench's."""
    pace = Pace(interval_s, answer_within_s, max_attempts, control_every, stop_at_lockout, timeout_s)

    def attempt(pair: Pair | None, end: float) -> Answer:
        try:
            return login.attempt(pair, end)
        except ProtocolError as error:
            if not error.cause.startswith("died: "):  # a watcher of the console saw that the device did
                raise
            return Answer("disconnected", shown(error.cause))

    return probe(Asked(login.protocol, login.target, attempt, True, login.needs_user), pairs, control, pace)


def list_of(pairs: Pairs) -> PairList:
    if isinstance(pairs, PairList):
        return pairs
    return known_list(pairs) if isinstance(pairs, str) else pairs_of(pairs)


def surely_wrong() -> str:
    """A password that no device has: letters and digits, its first eight alone are 47 bits (some devices look at no more)."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(16))


class _Probing:
    def __init__(self, asked: Asked, pairs: PairList, control: tuple[str, str] | None, pace: Pace) -> None:
        self._asked, self._list, self._pace = asked, pairs, pace
        self._control = None if control is None else pairs_of([control]).pairs[0]
        self._begin = time.monotonic()
        self._end = self._begin + pace.timeout_s
        self._next_ns = 0
        self._found = _Found()
        self._typed: set[str] = set()  # passwords, as they may be written
        self._pairs = list(enumerate(pairs))
        if not asked.needs_user:  # a password is tried once
            first = {pair.password: index for index, pair in reversed(self._pairs)}
            self._pairs = [(index, pair) for index, pair in self._pairs if first[pair.password] == index]

    def run(self) -> LoginProbe:
        found = self._found
        why = self._controls() or self._all_pairs()
        if self._control is not None and found.attempts:
            self._control_after(self._control)
            # Last, for it is one more failure; and it shows that refusing still looks as it did.
            if found.control_after and found.control_after[-1].outcome == "accepted" and not self._is_over():
                found.wrong_after = self._refused_alike(*self._try(Pair(self._control.user, surely_wrong())))
        why = why or self._doubt()
        refusals = [attempt for attempt in (found.wrong, *found.attempts) if attempt is not None and attempt.outcome == "refused"]
        return LoginProbe(
            protocol=self._asked.protocol,
            target=self._asked.target,
            list_name=self._list.name,
            list_sha256=self._list.sha256,
            pairs=len(self._pairs),
            without=found.without,
            control_before=found.control_before,
            wrong=found.wrong,
            attempts=tuple(found.attempts),
            controls=tuple(found.controls),
            control_after=tuple(found.control_after),
            wrong_after=found.wrong_after,
            lockout=found.lockout,
            throttling=throttling_of(refusals),
            incomplete=why,
            took_s=time.monotonic() - self._begin,
        )

    def _controls(self) -> str | None:
        """Why there is no use in going on."""
        found = self._found
        if self._asked.tries_without:
            found.without = self._try(None)[0]
        if self._control is not None:
            found.control_before = self._try(self._control)[0]
            if found.control_before.outcome != "accepted":
                return f"the control log-in was not accepted before: {_told(found.control_before)}"
        user = self._control.user if self._control is not None else self._list.pairs[0].user
        found.wrong, found.refusal = self._try(Pair(user, surely_wrong()))
        if found.wrong.outcome != "refused":
            return f"a surely wrong password was not refused: {_told(found.wrong)}"
        return None

    def _all_pairs(self) -> str | None:
        found, pace = self._found, self._pace
        for count, (index, pair) in enumerate(self._pairs):
            if count >= pace.max_attempts:
                return (
                    f"{len(self._pairs) - count} of {len(self._pairs)} pairs were not tried: there were to be {pace.max_attempts} attempts"
                )
            if count and self._control is not None and pace.control_every and count % pace.control_every == 0:
                found.controls.append(self._try(self._control)[0])
                self._judge_control(found.controls[-1])
            if found.lockout is not None and pace.stop_at_lockout:
                return f"{len(self._pairs) - count} of {len(self._pairs)} pairs were not tried: the device locks out ({found.lockout.sign})"
            if self._is_over():
                return f"{len(self._pairs) - count} of {len(self._pairs)} pairs were not tried in {pace.timeout_s:g} s"
            failed_before = found.failed
            attempt = self._refused_alike(*self._try(pair, index))
            found.attempts.append(attempt)
            if attempt.outcome == "locked_out":
                self._lock("said", attempt, failed_before)
            elif found.unanswered >= AWAY:
                self._lock("cut_off", found.attempts[-AWAY] if len(found.attempts) >= AWAY else attempt, failed_before)
        return None

    def _refused_alike(self, attempt: Attempt, answer: Answer) -> Attempt:
        """As it is, but where it is refused in other words than the wrong password before."""
        if attempt.outcome != "refused" or answer.shape == self._found.refusal.shape:
            return attempt
        return replace(attempt, outcome="not_understood", said=f"another answer than to a wrong password: {attempt.said}")

    def _judge_control(self, attempt: Attempt) -> None:
        if attempt.outcome == "locked_out":
            self._lock("said", attempt, self._found.failed)
        elif attempt.outcome == "refused":
            self._lock("control", attempt, self._found.failed - 1)  # it has been counted itself

    def _lock(self, sign: Sign, attempt: Attempt, failed: int) -> None:
        if self._found.lockout is None:
            said = attempt.said if sign != "cut_off" else attempt.outcome
            self._found.lockout = Lockout(sign, failed, said, attempt.at_ns, None)

    def _control_after(self, control: Pair) -> None:
        """Until it is taken, or the time is over; so that it is known how long a lockout lasts."""
        found = self._found
        while not self._is_over():
            attempt = self._try(control)[0]
            found.control_after.append(attempt)
            self._judge_control(attempt)
            if attempt.outcome == "accepted":
                if found.lockout is not None:
                    found.lockout = replace(found.lockout, duration_s=(attempt.at_ns - found.lockout.at_ns) / 1e9)
                return
            if attempt.outcome == "not_understood":
                return
            self._next_ns = max(self._next_ns, attempt.at_ns + int(CONTROL_EVERY_S * 1e9))

    def _is_over(self) -> bool:
        """Whether the next log-in would begin too late."""
        return max(time.monotonic(), self._next_ns / 1e9) >= self._end

    def _doubt(self) -> str | None:
        """Why refusals prove nothing though all pairs were tried."""
        found = self._found
        if self._control is None:
            return "there is no control log-in: nothing shows that a success would be seen"
        if found.lockout is not None:
            return f"the device locks out ({found.lockout.sign}) after {found.lockout.threshold} failed log-ins"
        if unanswered := [attempt for attempt in found.attempts if attempt.outcome not in ANSWERED]:
            return f"{len(unanswered)} of {len(found.attempts)} pairs were not answered, the first one: {_told(unanswered[0])}"
        if wrong := [attempt for attempt in (*found.controls, *found.control_after[:1]) if attempt.outcome != "accepted"]:
            return f"the control log-in was not accepted later: {_told(wrong[0])}"
        return self._doubt_after()

    def _doubt_after(self) -> str | None:
        found = self._found
        if not found.control_after:
            return "there was no time for the control log-in after them"
        if found.wrong_after is None:
            return "there was no time for a surely wrong password after them"
        if found.wrong_after.outcome != "refused":
            return f"a surely wrong password was not refused after them: {_told(found.wrong_after)}"
        return None

    def _try(self, pair: Pair | None, index: int | None = None) -> tuple[Attempt, Answer]:
        wait_until(self._next_ns)
        at_ns = time.monotonic_ns()
        self._next_ns = at_ns + int(self._pace.interval_s * 1e9)
        end = min(self._end, at_ns / 1e9 + self._pace.answer_within_s)
        self._typed |= set() if pair is None else forms_of(pair)
        with hiding(self._typed):  # a device that echoes what it was told, now or before, must not bring it into the evidence
            answer = answer_of(lambda: self._asked.attempt(pair, end))
            took_s = (time.monotonic_ns() - at_ns) / 1e9
            answer = replace(answer, said=shown(answer.said))
        found = self._found
        if found.wrong is not None and answer.outcome == "refused" and (lockout := lockout_said(answer.words, found.refusal.words)):
            answer = Answer("locked_out", f"{answer.said}: {lockout}")
        found.unanswered = found.unanswered + 1 if answer.outcome in ("disconnected", "no_answer") else 0
        if answer.outcome == "accepted":
            found.failed = 0
        elif pair is not None and answer.outcome == "refused":
            found.failed += 1
        return Attempt(index, None if pair is None else pair.user, answer.outcome, answer.said, at_ns, took_s), answer


def answer_of(attempt: Callable[[], Answer]) -> Answer:
    """What a log-in's failure tells of the device. The bench's own failures go on."""
    try:
        return attempt()
    except Error:  # before its built-in kin: the bench's TimeoutError is one of Python's too
        raise
    except Unintelligible as error:
        return Answer("not_understood", shown(str(error)))
    except TimeoutError:
        return Answer("no_answer")
    except (ConnectionError, EOFError) as error:
        return Answer("disconnected", shown(str(error)))
    except OSError as error:
        if error.errno is None:
            raise
        return Answer("disconnected", shown(error.strerror or str(error)))


def _told(attempt: Attempt) -> str:
    return f"{attempt.outcome}{f' ({attempt.said})' if attempt.said else ''}"


def bad(what: str, cause: str, remedy: str) -> ConfigError:
    error = make("Config", what, cause, remedy, f"{what}: {cause}; {remedy}")
    assert isinstance(error, ConfigError)
    return error
