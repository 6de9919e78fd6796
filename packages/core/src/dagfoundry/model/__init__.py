"""The model: YAML that a team writes, checked and located."""

from dagfoundry.model.commit import is_ancestor, is_older, model_commit
from dagfoundry.model.load import LoadedModel, load_model
from dagfoundry.model.sections import LoadedItem

__all__ = ["LoadedItem", "LoadedModel", "is_ancestor", "is_older", "load_model", "model_commit"]
