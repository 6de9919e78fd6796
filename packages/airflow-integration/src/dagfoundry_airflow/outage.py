"""A time in which the store or the disk does not answer: said once, asked less and less."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from dagfoundry.logs import get_logger

if TYPE_CHECKING:
    from pathlib import Path

_FIRST_PAUSE_SECONDS: Final = 5.0
_LONGEST_PAUSE_SECONDS: Final = 60.0

_log = get_logger(__name__)


class Outage:
    """The present outage, if there is one; kept in a file, for processes that live briefly.

    Args:
        path: The file; it exists during an outage only.
        foundry: Named in the log.
    """

    def __init__(self, path: Path, foundry: str) -> None:
        self._path = path
        self._foundry = foundry
        self._unwritten = (0, 0.0)

    def pause(self) -> float:
        """Return how many seconds to leave the store alone; 0 when there is no outage."""
        failures, last = self._read()
        if not failures:
            return 0.0
        pause = min(_FIRST_PAUSE_SECONDS * 2.0 ** (failures - 1), _LONGEST_PAUSE_SECONDS)
        since = time.time() - last
        return max(0.0, pause - since) if since >= 0 else 0.0

    def failed(self, error: Exception) -> None:
        """Count a failure; the first one is logged."""
        failures, _ = self._read()
        if not failures:
            _log.warning(
                "refresh failed, DAGs stay as they are", foundry=self._foundry, reason=str(error)
            )
        self._unwritten = (failures + 1, time.time())
        with suppress(OSError):  # the disk may be the reason; this process remembers it anyway
            self._path.write_text(json.dumps(self._unwritten), encoding="ascii")
            self._unwritten = (0, 0.0)

    def over(self) -> None:
        """End the outage, if there was one."""
        if self._read()[0]:
            self._unwritten = (0, 0.0)
            self._path.unlink(missing_ok=True)
            _log.info("refresh works again", foundry=self._foundry)

    def _read(self) -> tuple[int, float]:
        try:
            failures, last = json.loads(self._path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return self._unwritten
        except (OSError, ValueError, TypeError):
            return 1, 0.0
        return max((int(failures), float(last)), self._unwritten)
