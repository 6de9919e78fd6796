"""The network between Airflow and the store is bad; the suite's own proxy stands for it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from chaos.faults.record import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.site import Site


@contextmanager
def network_is_slow(site: Site) -> Iterator[None]:
    """Let each answer take longer than a refresh waits."""
    site.proxy.delay = 3.0
    yield
    site.proxy.mend()


@contextmanager
def network_is_slowish(site: Site) -> Iterator[None]:
    """Let each answer take long, but not too long."""
    site.proxy.delay = 0.15
    yield
    site.proxy.mend()


@contextmanager
def network_is_silent(site: Site) -> Iterator[None]:
    """Pass nothing on and end no connection, as a firewall that drops packets."""
    site.proxy.silent = True
    yield
    site.proxy.mend()


@contextmanager
def network_is_cut(site: Site) -> Iterator[None]:
    """End every connection."""
    site.proxy.cut()
    yield
    site.proxy.mend()


FAULTS = (
    Fault(name="network: each packet 0.15 s late", happens=network_is_slowish),
    Fault(name="network: each packet 3 s late", happens=network_is_slow),
    Fault(name="network: packets dropped", happens=network_is_silent),
    Fault(name="network: connections cut", happens=network_is_cut),
)
