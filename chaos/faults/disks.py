"""The disk with our files is full, or cannot be written."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from chaos.disk import mount, unmount
from chaos.faults.record import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.site import Site

_CHUNK = 1 << 16


def needs_small_disk(site: Site) -> str:
    """Return why these faults cannot be tried, if so."""
    return "" if site.has_small_disk else "this user may not mount a tmpfs"


@contextmanager
def disk_is_full(site: Site) -> Iterator[None]:
    """Fill the disk to its last byte, and change all entries."""
    ballast = site.airflow.snapshot / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        for size in (_CHUNK, 1):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass
    site.fleet.change_to(site.fleet.change_all())
    yield
    ballast.unlink()


@contextmanager
def disk_is_read_only(site: Site) -> Iterator[None]:
    """Lay a read-only mount over the folder, and change all entries."""
    folder = str(site.airflow.snapshot)
    assert mount("--bind", folder, folder)
    assert mount("-o", "remount,bind,ro", folder)
    site.fleet.change_to(site.fleet.change_all())
    yield
    unmount(site.airflow.snapshot)


FAULTS = (
    Fault(name="disk full", happens=disk_is_full, impossible=needs_small_disk),
    Fault(name="disk read-only", happens=disk_is_read_only, impossible=needs_small_disk),
)
