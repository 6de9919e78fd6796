"""The provider's description is what the installed Airflow takes."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import airflow
import jsonschema

from dagfoundry_airflow.provider import get_provider_info


def test_the_description_fits_airflows_schema() -> None:
    """Airflow 2 and 3 have different ones; a provider that does not fit is left out."""
    schema = Path(airflow.__file__).with_name("provider_info.schema.json").read_text()
    jsonschema.validate(get_provider_info(), json.loads(schema))


def test_airflow_lists_the_provider_with_its_version() -> None:
    """The entry point is that of the installed distribution."""
    from airflow.providers_manager import ProvidersManager

    providers = ProvidersManager().providers
    assert providers["dagfoundry-airflow"].version == version("dagfoundry-airflow")
