"""All faults, in the order in which they happen."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Final

from chaos.faults import databases, network, snapshot
from chaos.faults.record import Fault

NONE: Final = Fault(name="none, for comparison", happens=lambda _site: nullcontext(), seconds=0)

ALL: Final = (NONE, *databases.FAULTS, *snapshot.FAULTS, *network.FAULTS)
