"""All faults, in the order in which they happen."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Final

from chaos.faults import clocks, crowds, databases, disks, network, plugins, processes, snapshot
from chaos.faults.record import Fault

NONE: Final = Fault(name="none, for comparison", happens=lambda _site: nullcontext())

ALL: Final = (
    NONE,
    *databases.FAULTS,
    *processes.FAULTS,
    *snapshot.FAULTS,
    *disks.FAULTS,
    *network.FAULTS,
    *crowds.FAULTS,
    *plugins.FAULTS,
    *clocks.FAULTS,
)
