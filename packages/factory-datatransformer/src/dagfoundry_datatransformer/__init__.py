"""The DAG Foundry factory type that turns data transformers into DAGs.

An author of Python transformers needs only what is exported here.
"""

from dagfoundry_datatransformer.transform.callables import TransformerContext

__all__ = ["TransformerContext"]
