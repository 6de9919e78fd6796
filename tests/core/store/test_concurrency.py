"""Several processes write one store at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dagfoundry.factories import Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import MergeProcess, Whole, Workshop

    from dagfoundry.store import Store

COMMON = ("a", "b", "c")


def merge_at_once(start: Callable[[], MergeProcess], models: list[Path]) -> list[dict[str, Any]]:
    """Merge each model in a process of its own, all begun before one has ended."""
    processes = [start() for _ in models]
    for process, model in zip(processes, models, strict=True):
        process.start(model)
    return [process.answer() for process in processes]


def number_of_processes(store: Store) -> int:
    """Return how many merges run at once: SQLite is for few."""
    return 20 if store.url.get_backend_name() == "postgresql" else 6


def texts_at(store: Store, foundry: str, revision: int) -> dict[str, str]:
    """Return what the entries of a revision say, that are in the model."""
    return {
        row.key: row.config()["text"]
        for row in store.rows_at(foundry, revision)
        if row.key and row.status is Status.ACTIVE
    }


def test_merges_at_once_wait_for_each_other(
    workshop: Workshop,
    merge_process: Callable[[], MergeProcess],
    write_model: Callable[..., Path],
    check_history: Callable[[str], None],
) -> None:
    """Each merge is a revision that holds its model whole, or found it there already."""
    number = number_of_processes(workshop.store)
    wanted = [dict.fromkeys(COMMON, f"m{i // 2}") | {f"own{i // 2}": "mine"} for i in range(number)]
    models = [write_model(f"m{i}", texts) for i, texts in enumerate(wanted)]
    answers = merge_at_once(merge_process, models)
    assert [answer for answer in answers if "revision" not in answer] == []
    for texts, answer in zip(wanted, answers, strict=True):
        assert texts_at(workshop.store, "Test", answer["revision"]) == texts
    made = sorted(answer["revision"] for answer in answers if answer["changes"])
    assert made == list(range(1, workshop.store.head("Test").revision + 1))
    assert len(made) >= number // 2
    check_history("Test")


def test_foundries_that_want_one_platform_at_once_get_one_owner(
    workshop: Workshop,
    merge_process: Callable[[], MergeProcess],
    write_model: Callable[..., Path],
    check_history: Callable[[str], None],
    whole: Callable[[], Whole],
) -> None:
    """The others are told who owns it, and leave nothing."""
    names = [f"F{i}" for i in range(number_of_processes(workshop.store) // 2)]
    models = [write_model(name, {"a": name}, foundry=name, platform="Prize") for name in names]
    models += [write_model(f"{n}x", {"a": n}, foundry=n, platform=f"Own{n}") for n in names[:2]]
    answers = merge_at_once(merge_process, models)
    assert all(("revision" in answer) != ("error" in answer) for answer in answers), answers
    errors = [answer["error"] for answer in answers if "error" in answer]
    assert all("Prize" in error or "DAG id" in error for error in errors), errors
    prized = [name for name, answer in zip(names, answers, strict=False) if "revision" in answer]
    assert len(prized) == 1
    state = whole()
    assert state.heads.keys() == {*prized, *names[:2]}
    for foundry in state.heads:
        check_history(foundry)
    assert set(texts_at(workshop.store, prized[0], 1).values()) == set(prized)
