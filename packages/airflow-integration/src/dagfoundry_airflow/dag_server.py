"""What this distribution offers under ``dagfoundry.serving``; importing it imports no Airflow."""

from __future__ import annotations

from typing import Final

from dagfoundry.serving import DagServer
from dagfoundry_airflow.announce import announce
from dagfoundry_airflow.serving_drift import differences
from dagfoundry_airflow.watch import open_watch

AIRFLOW: Final = DagServer(differences=differences, announce=announce, watch=open_watch)
"""Airflow, which serves the DAGs."""
