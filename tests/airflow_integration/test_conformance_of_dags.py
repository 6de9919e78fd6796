"""A plugin whose DAGs break a rule fails the one check that is about it, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from altered_plugin import OLD, AlteredPlugin

from dagfoundry.errors import NotConformingError, NotDeterministicError
from dagfoundry.testing import conformance_suite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG: Final = "    config = entry.config_as(AlarmConfig)\n"
SPEC: Final = 'spec={"seconds": config.seconds}'
OTHER_DAG: Final = (
    "    from airflow.models.dag import DAG\n    return DAG(config.key, schedule=None)\n"
)
OWNER: Final = "factory type 'alarm' of dagfoundry-alarm 1.0: "

BROKEN: Final = {
    "a builder that fails": (
        "test_dags_build",
        (SPEC, 'spec={"seconds": {}[config.key]}'),
        ["cannot be built", "testing__Morning_alarm", "KeyError: 'Morning'"],
    ),
    "a builder that makes another DAG": (
        "test_dags_build",
        (CONFIG, CONFIG + OTHER_DAG),
        ["the builder made DAG 'Morning' instead"],
    ),
    "a builder that takes its time": (
        "test_builds_stay_within_budget",
        (CONFIG, f"{CONFIG}    sum(range(10_000_000))\n"),
        ["ms of CPU time to build", "its budget is 50 ms"],
    ),
    "a config that takes anything": (
        "test_bad_rows_are_refused",
        ("    seconds: int\n", "    seconds: Any\n"),
        ["has {'unexpected': 1} as 'seconds'", "TypeError"],
    ),
    "a config that asks for nothing": (
        "test_bad_rows_are_refused",
        ("    key: str\n    seconds: int\n    sound: str\n", ""),
        ["has an empty config", "AttributeError"],
    ),
    "a builder that names its DAG by the config": (
        "test_bad_rows_are_refused",
        (
            CONFIG,
            CONFIG + "    if entry.key != config.key:\n" + OTHER_DAG.replace("    ", "        "),
        ),
        ["has another key than its config", "the builder made DAG 'Morning' instead"],
    ),
    "an upcaster whose config cannot be built": (
        "test_upcasters_are_total",
        (SPEC, 'spec={"seconds": 60 // (config.seconds - 300)}'),
        ["a config of version 1 cannot be built", "ZeroDivisionError"],
    ),
}


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AlteredPlugin]:
    """The plugin ``alarm``, which no other test sees."""
    altered = AlteredPlugin(tmp_path, monkeypatch)
    yield altered
    altered.uninstall()


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_is_named(plugin: AlteredPlugin, case: str) -> None:
    """The error says whose type it is, which DAG is concerned and why."""
    test, (before, after), words = BROKEN[case]
    plugin.file.write_text(plugin.file.read_text().replace(SPEC, SPEC.replace("ds}", "ds + 0}")))
    suite = plugin.suite(before=before.replace("ds}", "ds + 0}"), after=after)
    with pytest.raises(NotConformingError) as caught:
        getattr(suite, test)()
    text = str(caught.value)
    assert text.startswith(OWNER)
    assert [word for word in words if word not in text] == []


def test_one_line_gives_the_whole_suite(plugin: AlteredPlugin) -> None:
    """A good plugin passes each check; the ids name file, type and behaviour."""
    printed = plugin.run_pytest("-v", "tests/test_conformance.py")
    assert "13 passed" in printed
    for behaviour in ("test_plugin_loads", "test_dags_build", "test_export_inverts_draft"):
        assert f"tests/test_conformance.py::TestAlarm::{behaviour} PASSED" in printed


def test_a_dag_that_moves_is_named(plugin: AlteredPlugin) -> None:
    """The suite says what `check_deterministic` says."""
    moving = f"{CONFIG}    import uuid\n    kit_id = f'ring_{{uuid.uuid4()}}'\n"
    plugin.file.write_text(plugin.file.read_text().replace('"ring", (', "kit_id, ("))
    with pytest.raises(NotDeterministicError, match=r"'alarm'.*testing__Morning_alarm.*ring_"):
        plugin.suite(before=CONFIG, after=moving).test_dags_are_deterministic()


def test_a_waiting_builder_is_within_its_budget(plugin: AlteredPlugin) -> None:
    """CPU time counts; a busy machine fails nobody's test."""
    slept = f"{CONFIG}    import time\n    time.sleep(0.1)\n"
    plugin.suite(before=CONFIG, after=slept).test_builds_stay_within_budget()


def test_a_build_budget_is_the_authors_to_set(plugin: AlteredPlugin) -> None:
    """No build takes no time."""
    plugin.suite()
    with pytest.raises(NotConformingError, match="its budget is 0 ms"):
        conformance_suite(
            "alarm", old_configs=OLD, build_budget_ms=0
        )().test_builds_stay_within_budget()
