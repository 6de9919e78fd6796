"""What it takes to keep a DAG visible that cannot be built any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class DagShape(NamedTuple):
    """What a DAG looked like when it was built, and what built it.

    Attributes:
        tasks: Every task id with the ids of the tasks that follow it, all sorted.
        tags: Tags that its builder gave it, sorted.
        distribution: Name of the distribution that offers its factory type; empty when
            that is not known.
        version: The distribution's version.
    """

    tasks: tuple[tuple[str, tuple[str, ...]], ...]
    tags: tuple[str, ...] = ()
    distribution: str = ""
    version: str = ""

    @property
    def builder(self) -> str:
        """The distribution and its version, as a person is told."""
        return f"{self.distribution} {self.version}".strip()

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values, the same bytes for the same shape."""
        return {**self._asdict(), "tasks": {task: list(after) for task, after in self.tasks}}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> DagShape:
        """Return the record that :meth:`to_json` wrote."""
        return cls(
            tasks=tuple((task, tuple(after)) for task, after in sorted(values["tasks"].items())),
            tags=tuple(values["tags"]),
            distribution=values["distribution"],
            version=values["version"],
        )


class Placeholder(NamedTuple):
    """What is served of a DAG that was good and cannot be built any more.

    Attributes:
        shape: What the DAG looked like.
        reason: Why it cannot be built.
    """

    shape: DagShape
    reason: str


def placeholders_to_json(placeholders: Mapping[str, Placeholder]) -> dict[str, Any]:
    """Return placeholders by DAG id as JSON values.

    A missing plugin makes thousands of them and few that differ, so each that differs is
    written once.
    """
    kinds: dict[Placeholder, int] = {}
    dags = {d: kinds.setdefault(placeholders[d], len(kinds)) for d in sorted(placeholders)}
    written = [{"shape": kind.shape.to_json(), "reason": kind.reason} for kind in kinds]
    return {"dags": dags, "kinds": written}


def placeholders_from_json(values: Mapping[str, Any] | None) -> dict[str, Placeholder]:
    """Return the placeholders that :func:`placeholders_to_json` wrote; none of nothing."""
    if not values:
        return {}
    kinds = [
        Placeholder(shape=DagShape.from_json(kind["shape"]), reason=kind["reason"])
        for kind in values["kinds"]
    ]
    return {dag_id: kinds[index] for dag_id, index in values["dags"].items()}
