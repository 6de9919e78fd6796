"""Each option of Airflow that the doctor looks at: a bad value is found, a good one passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from airflow_client import AIRFLOW_2
from doctor_subject import parsing_variable

from dagfoundry.errors import SettingInvalidError

if TYPE_CHECKING:
    from tests.airflow_integration.doctor.conftest import Look

pytestmark = pytest.mark.every_airflow

needs_bundles = pytest.mark.skipif(AIRFLOW_2, reason="Airflow 2 has no DAG bundles")
needs_loaders = pytest.mark.skipif(not AIRFLOW_2, reason="Airflow 3 has no DAG folder to list")

UPDATE_INTERVAL = "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL"
CLEANUP = "AIRFLOW__DAG_PROCESSOR__STALE_BUNDLE_CLEANUP"
REFRESH_CHECK = "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL"
HEURISTIC = "airflow.utils.file.might_contain_dag_via_default_heuristic"
CALLABLE = "AIRFLOW__CORE__MIGHT_CONTAIN_DAG_CALLABLE"

CASES = [
    ("parsing.interval", parsing_variable("min_file_process_interval"), "5", "advice", "300"),
    ("parsing.interval", parsing_variable("min_file_process_interval"), "0", "problem", "300"),
    ("parsing.update-interval", UPDATE_INTERVAL, "30", "advice" if AIRFLOW_2 else "problem", "0"),
    ("parsing.import-timeout", "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT", "0.001", "problem", "30"),
    ("parsing.import-timeout", "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT", "0", "advice", "30"),
    (
        "parsing.processor-timeout",
        parsing_variable("dag_file_processor_timeout"),
        "0",
        "problem",
        "50",
    ),
    (
        "parsing.processor-timeout",
        parsing_variable("dag_file_processor_timeout"),
        "29",
        "advice",
        "50",
    ),
    ("parsing.processes", parsing_variable("parsing_processes"), "1000", "advice", "1"),
    ("parsing.discovery", CALLABLE, "builtins.print", "problem", HEURISTIC),
    ("removal.stale-threshold", parsing_variable("stale_dag_threshold"), "1", "problem", "50"),
    ("removal.stale-threshold", parsing_variable("stale_dag_threshold"), "900", "advice", "50"),
    (
        "removal.cleanup-interval",
        "AIRFLOW__SCHEDULER__PARSING_CLEANUP_INTERVAL",
        "900",
        "advice",
        "60",
    ),
]
BUNDLE_CASES = [
    (
        "parsing.sort-mode",
        parsing_variable("file_parsing_sort_mode"),
        "alphabetical",
        "problem",
        "modified_time",
    ),
    ("bundle.refresh-check", REFRESH_CHECK, "30", "advice", "5"),
    (
        "bundle.versioning",
        "AIRFLOW__DAG_PROCESSOR__DISABLE_BUNDLE_VERSIONING",
        "True",
        "advice",
        "False",
    ),
    ("bundle.cleanup", f"{CLEANUP}_INTERVAL", "0", "advice", "1800"),
    ("bundle.cleanup", f"{CLEANUP}_AGE_THRESHOLD", "60", "advice", "21600"),
    ("bundle.cleanup", f"{CLEANUP}_MIN_VERSIONS", "0", "advice", "10"),
]
LOADER_CASES = [
    (
        "loader.list-interval",
        "AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL",
        "3600",
        "advice",
        "300",
    ),
]
PARAMETERS = [
    *CASES,
    *(pytest.param(*case, marks=needs_bundles) for case in BUNDLE_CASES),
    *(pytest.param(*case, marks=needs_loaders) for case in LOADER_CASES),
]


@pytest.mark.parametrize(("check_id", "variable", "bad", "verdict", "better"), PARAMETERS)
def test_a_bad_value_is_found_and_the_value_to_set_is_good(
    look: Look,
    monkeypatch: pytest.MonkeyPatch,
    check_id: str,
    variable: str,
    bad: str,
    verdict: str,
    better: str,
) -> None:
    """What the doctor says to set is what then passes."""
    monkeypatch.setenv(variable, bad)
    found = look(check_id)
    assert found.verdict.value == verdict
    assert found.remedy
    setting = found.settings[0]
    assert setting.variable == variable
    if check_id != "parsing.processes":  # it is the number of this machine's cores
        assert setting.value == better
    assert f"[{variable.split('__')[1].lower()}]" in setting.option
    monkeypatch.setenv(variable, setting.value or "")
    assert look(check_id).verdict.value == "ok"


@pytest.mark.parametrize("check_id", ["parsing.interval", "parsing.processes"])
def test_a_value_that_is_no_number_is_named(
    look: Look, monkeypatch: pytest.MonkeyPatch, check_id: str
) -> None:
    """Airflow would not start with it."""
    options = {
        "parsing.interval": "min_file_process_interval",
        "parsing.processes": "parsing_processes",
    }
    monkeypatch.setenv(parsing_variable(options[check_id]), "soon")
    with pytest.raises(SettingInvalidError, match="soon") as raised:
        look(check_id)
    assert parsing_variable(options[check_id]) in raised.value.remedy
