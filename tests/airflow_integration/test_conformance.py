"""The built-in factory types pass the suite that any other type passes, on every Airflow."""

from __future__ import annotations

import pytest

from dagfoundry.testing import conformance_suite

pytestmark = pytest.mark.both_majors

TestPlatform = conformance_suite("platform")
TestDatatransformer = conformance_suite("datatransformer")
