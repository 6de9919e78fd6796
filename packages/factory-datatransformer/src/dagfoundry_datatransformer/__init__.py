"""The DAG Foundry factory type that turns data transformers into DAGs."""
