"""The suite as a test class: each method is one behaviour that a factory type owes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dagfoundry.testing.conformance.build_checks import (
    check_build_budget,
    check_builds,
    check_determinism,
)
from dagfoundry.testing.conformance.config_checks import check_bad_configs
from dagfoundry.testing.conformance.export_checks import check_export
from dagfoundry.testing.conformance.model_checks import (
    check_errors_are_located,
    check_examples,
    check_schema,
)
from dagfoundry.testing.conformance.plugin_checks import (
    check_import_budget,
    check_import_does_no_io,
    check_imports_no_airflow,
    check_loads,
)
from dagfoundry.testing.conformance.version_checks import check_upcasters

if TYPE_CHECKING:
    from dagfoundry.testing.conformance.subject import Subject


class ConformanceSuite:
    """What each factory type is to pass; :func:`conformance_suite` makes a class of it."""

    dagfoundry_subject: ClassVar[Subject]

    def test_plugin_loads(self) -> None:
        """The plugin is installed, and nothing of its distribution fails to load."""
        check_loads(self.dagfoundry_subject)

    def test_import_needs_no_airflow(self) -> None:
        """The command line and the store's tools load the plugin without Airflow."""
        check_imports_no_airflow(self.dagfoundry_subject)

    def test_import_does_no_io(self) -> None:
        """Importing the plugin opens no file, socket or process, and sets no variable."""
        check_import_does_no_io(self.dagfoundry_subject)

    def test_import_stays_within_budget(self) -> None:
        """Importing the plugin takes little CPU time beyond what DAG Foundry itself takes."""
        check_import_budget(self.dagfoundry_subject)

    def test_schema_takes_examples(self) -> None:
        """The JSON Schema of the section is valid, and takes each example."""
        check_schema(self.dagfoundry_subject)

    def test_examples_make_entries(self) -> None:
        """Each example loads as a model does, and makes at least one entry."""
        check_examples(self.dagfoundry_subject)

    def test_errors_are_located(self) -> None:
        """Whatever is wrong with an item is said with the place inside the item."""
        check_errors_are_located(self.dagfoundry_subject)

    def test_dags_build(self) -> None:
        """Each entry of the examples becomes a DAG of its own id that Airflow serialises."""
        check_builds(self.dagfoundry_subject)

    def test_dags_are_deterministic(self) -> None:
        """The same row gives the same DAG in every process."""
        check_determinism(self.dagfoundry_subject)

    def test_builds_stay_within_budget(self) -> None:
        """Building and serialising a DAG takes little CPU time."""
        check_build_budget(self.dagfoundry_subject)

    def test_bad_rows_are_refused(self) -> None:
        """A row that breaks the config's rules is refused in words, or built as it is."""
        check_bad_configs(self.dagfoundry_subject)

    def test_upcasters_are_total(self) -> None:
        """A row of each older config version becomes one of today's, and its DAG."""
        check_upcasters(self.dagfoundry_subject)

    def test_export_inverts_draft(self) -> None:
        """The rows of the examples are written as a model that merges to no change."""
        check_export(self.dagfoundry_subject)
