"""A DAG Foundry factory type for DAGs written in the YAML of dag-factory.

Who allows an operator needs only what is exported here.
"""

from dagfoundry_dagfactory.allowed import AllowedOperator

__all__ = ["AllowedOperator"]
