"""Serves the pipelines of a DAG Foundry store as Airflow DAGs."""
