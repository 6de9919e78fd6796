"""Pages in Airflow's own UI."""

from typing import Final

URL_PREFIX: Final = "/dagfoundry"
"""Where the pages are, below the address of Airflow's UI."""
