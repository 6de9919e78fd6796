"""Builds changed rows in a process of their own before they may enter a bucket.

Airflow hides every DAG of a file in which one fails, so a row is built, checked and
serialised here first. A row that hangs or crashes takes the process with it; it alone
fails, and the others go on in a new process.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.errors import FoundryError
from dagfoundry.logs import get_logger
from dagfoundry.store import DagShape
from dagfoundry_airflow.environment import Environment
from dagfoundry_airflow.problem import PLUGIN_REMEDY, subject
from dagfoundry_airflow.proofs import Proofs, proof_key
from dagfoundry_airflow.trial_process import TrialProcess
from dagfoundry_airflow.trial_start import TrialLimits, new_interpreter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from dagfoundry.store import RowState
    from dagfoundry_airflow.trial_start import Child

_BACKLOG_BYTES: Final = 1 << 16
_GRACE_SECONDS: Final = 5.0

_log = get_logger(__name__)


class TrialUnavailableError(FoundryError):
    """The trial process does not come up, so no changed row can be proved."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a trial said of a row; without ``what`` the row is good.

    Attributes:
        what: What is wrong.
        remedy: What to do about it.
        shape: What the DAG of a good row looks like.
    """

    what: str = ""
    remedy: str = ""
    shape: DagShape | None = None

    @property
    def good(self) -> bool:
        """Whether the row may enter a bucket."""
        return not self.what


class Trials:
    """Proves rows; keeps one trial process for the next ones.

    Args:
        folder: Where proofs are kept.
        limits: How long the process may take.
        start: Starts the process.
        environment: What is installed.
    """

    def __init__(
        self,
        folder: Path,
        limits: TrialLimits | None = None,
        start: Callable[[TrialLimits], Child] = new_interpreter,
        environment: Environment | None = None,
    ) -> None:
        self._limits = limits or TrialLimits()
        self._start = start
        self._environment = environment or Environment()
        self._proofs = Proofs(folder / "proofs.txt")
        self._process: TrialProcess | None = None
        self._ready = False
        self._quiet_since = 0.0
        self._waiting: dict[str, RowState] = {}
        self._sent: dict[str, RowState] = {}
        self._failed: dict[str, Verdict] = {}
        self._keys: dict[RowState, str] = {}

    @property
    def environment(self) -> str:
        """What proofs hold for."""
        return self._environment.name

    def look_around(self) -> None:
        """Notice plugins that came, went or changed; the process has the old ones loaded."""
        if self._environment.look():
            _log.info("other plugins are installed, every row is tried", now=self.environment)
            self.close()
            self._keys = {}

    def prove(self, rows: Iterable[RowState], *, patience: float) -> dict[str, Verdict]:
        """Return the verdicts that are there in time, by DAG id; ask again for the others.

        Args:
            rows: Rows to prove, in the order in which they matter.
            patience: How long to wait for the trial process, in seconds.

        Raises:
            TrialUnavailableError: The process ended before it was ready.
            OSError: Proofs cannot be written.
        """
        wanted = self._by_key(rows)
        unknown = {key: row for key, row in wanted.items() if self._verdict(key) is None}
        self._waiting = {key: row for key, row in unknown.items() if key not in self._sent}
        self._work(unknown, time.monotonic() + patience)
        verdicts = {row.dag_id: self._verdict(key) for key, row in wanted.items()}
        for key in wanted:
            self._failed.pop(key, None)
        return {dag_id: verdict for dag_id, verdict in verdicts.items() if verdict}

    def remember(self, row: RowState, verdict: Verdict) -> None:
        """Give a bad verdict once more when the row is asked for next, without a trial."""
        self._failed[proof_key(row, self.environment)] = verdict

    def close(self) -> None:
        """End the trial process."""
        if self._process is not None:
            self._process.end(kill=True)
            self._forget_process()
        self._waiting, self._sent = {}, {}

    def _verdict(self, key: str) -> Verdict | None:
        if key in self._proofs:
            return Verdict(shape=self._proofs.shape(key))
        return self._failed.get(key)

    def _by_key(self, rows: Iterable[RowState]) -> dict[str, RowState]:
        self._keys = {row: self._keys.get(row) or proof_key(row, self.environment) for row in rows}
        return {key: row for row, key in self._keys.items()}

    def _work(self, wanted: Iterable[str], until: float) -> None:
        left = set(wanted)
        while left and (self._waiting or self._sent):
            left.difference_update(self._exchange(until - time.monotonic()))
            if time.monotonic() >= until:
                return

    def _exchange(self, wait_seconds: float) -> list[str]:
        """Send and receive what is possible and return the keys that got a verdict."""
        process = self._running_process()
        self._send_more(process)
        answers = process.exchange(min(wait_seconds, 1.0))
        if answers is None:
            return self._ended(process)
        if answers:
            return self._take(answers)
        if time.monotonic() - self._quiet_since > self._longest_silence():
            return self._ended(process, kill=True)
        return []

    def _running_process(self) -> TrialProcess:
        if self._process is None:
            self._process = TrialProcess(self._limits, self._start)
            self._quiet_since = time.monotonic()
        return self._process

    def _send_more(self, process: TrialProcess) -> None:
        while self._waiting and process.backlog < _BACKLOG_BYTES:
            key, row = next(iter(self._waiting.items()))
            del self._waiting[key]
            if not self._sent:
                self._quiet_since = time.monotonic()
            self._sent[key] = row
            process.ask(key, row.to_json())

    def _longest_silence(self) -> float:
        return (self._limits.build if self._ready else self._limits.start) + _GRACE_SECONDS

    def _take(self, answers: list[dict[str, Any]]) -> list[str]:
        self._quiet_since = time.monotonic()
        self._ready = True
        verdicts = {answer["key"]: answer for answer in answers if "key" in answer}
        for key, answer in verdicts.items():
            self._sent.pop(key, None)
            if "what" in answer:
                self._failed[key] = Verdict(what=answer["what"], remedy=answer["remedy"])
        good = {key: answer["shape"] for key, answer in verdicts.items() if "shape" in answer}
        self._proofs.add({key: DagShape.from_json(shape) for key, shape in good.items()})
        return list(verdicts)

    def _ended(self, process: TrialProcess, *, kill: bool = False) -> list[str]:
        was_ready, reason = self._ready, process.end(kill=kill)
        self._forget_process()
        if not was_ready:
            msg = f"the trial process does not come up: {reason}"
            raise TrialUnavailableError(msg, remedy="See its output in the DAG processor's log.")
        blamed = list(self._sent)[:1] if reason else []
        for key in blamed:
            what = f"{subject(self._sent.pop(key))} cannot be built: {reason}"
            self._failed[key] = Verdict(what=what, remedy=PLUGIN_REMEDY)
        self._waiting = self._sent | self._waiting
        self._sent = {}
        return blamed

    def _forget_process(self) -> None:
        self._process, self._ready = None, False
