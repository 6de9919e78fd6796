"""Faults in a real Airflow with a real PostgreSQL: ``nox -s chaos``."""
