"""Checks that the author of a factory type runs in the plugin's own tests.

They need ``dagfoundry[testing]``, ``dagfoundry-airflow`` and the plugin itself installed.
Each raises one error that says what is wrong, where, and what to do; it is an
``AssertionError`` as well, so every test runner shows it as a failed test. pytest runs the
whole suite of a type without a test file, too: ``pytest --dagfoundry-type hello``.
"""

from dagfoundry.testing.builds import SerializedDag
from dagfoundry.testing.conformance import conformance_suite
from dagfoundry.testing.determinism import check_deterministic, check_rows_deterministic
from dagfoundry.testing.rows import rows_of_config, rows_of_model

__all__ = [
    "SerializedDag",
    "check_deterministic",
    "check_rows_deterministic",
    "conformance_suite",
    "rows_of_config",
    "rows_of_model",
]
