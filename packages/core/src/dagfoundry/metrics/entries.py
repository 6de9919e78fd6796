"""How many entries a store holds, by the labels that their factory types ask for.

They are read from the store when Prometheus asks, and only after a new revision: a process
that counts and ends could not take back a label value that is gone.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from dagfoundry.errors import FoundryError
from dagfoundry.factories import ENTRY_LABELS, Status
from dagfoundry.logs import get_logger
from dagfoundry.store.records import RowKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dagfoundry.factories import FactoryType
    from dagfoundry.plugins import Plugins
    from dagfoundry.store import RowState, Store

_LONGEST_VALUE: Final = 100
_log = get_logger(__name__)

_Counts = dict[str, Counter[tuple[str, ...]]]
"""Factory type to the number of entries by label values."""


class EntriesCollector(Collector):
    """Shows ``dagfoundry_<factory type>_entries`` for every foundry of a store.

    While the store is away, the numbers are those of the last revision that was read.

    Args:
        store: Where the entries are.
        plugins: The installed factory types; entries of others are left out.
    """

    def __init__(self, store: Store, plugins: Plugins) -> None:
        self._store = store
        self._plugins = plugins
        self._known: dict[str, tuple[int, _Counts]] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield a gauge for each factory type."""
        try:
            self._refresh()
        except FoundryError as error:
            _log.warning("entries are not counted anew", reason=error.what)
        for name, installed in self._plugins.types.items():
            family = _family(installed.type)
            for _, counts in self._known.values():
                for values, number in counts.get(name, {}).items():
                    family.add_metric(values, number)
            yield family

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return the gauges without reading the store, which may be away at the start."""
        return [_family(installed.type) for installed in self._plugins.types.values()]

    def _refresh(self) -> None:
        if not self._store.exists():
            return
        foundries = self._store.foundries()
        self._known = {name: self._known[name] for name in foundries if name in self._known}
        for foundry in foundries:
            revision = self._store.head(foundry).revision
            if self._known.get(foundry, (None,))[0] != revision:
                rows = self._store.rows_at(foundry, revision)
                self._known[foundry] = revision, _count(rows, self._plugins)


def _count(rows: Sequence[RowState], plugins: Plugins) -> _Counts:
    counts: _Counts = {}
    for row in rows:
        is_held = row.kind is RowKind.ENTRY and row.status is not Status.PURGED
        if is_held and row.factory_type in plugins.types:
            labels = plugins.type(row.factory_type).metric_labels
            values = (row.foundry, row.platform_name, row.status.value, *_values(row, labels))
            counts.setdefault(row.factory_type, Counter())[values] += 1
    return counts


def _values(row: RowState, labels: Sequence[str]) -> Iterator[str]:
    config = _config(row) if labels else {}
    for label in labels:
        value = config.get(label)
        yield "" if value is None else str(value)[:_LONGEST_VALUE]


def _config(row: RowState) -> Mapping[str, Any]:
    try:
        return row.config()
    except ValueError:  # a hand edit broke it, which the factory DAG reports
        return {}


def _family(factory_type: FactoryType) -> GaugeMetricFamily:
    return GaugeMetricFamily(
        f"dagfoundry_{factory_type.name}_entries",
        f"Entries of factory type {factory_type.name}, by status.",
        labels=(*ENTRY_LABELS, *factory_type.metric_labels),
    )
