"""Which keys a model allows at a path, read from its JSON Schema."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic.errors import PydanticUserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import BaseModel

_Schema = dict[str, Any]


def allowed_keys(model: type[BaseModel], path: Iterable[str | int]) -> set[str]:
    """Return the keys of the mapping at a path of pydantic's, members of unions together.

    Args:
        model: The model that was validated.
        path: Path of a mapping inside it; names of union members are passed over.
    """
    schema = _schema_of(model)
    here = list(_members(schema, schema))
    for part in path:
        below = [child for member in here for child in _children(member, part)]
        here = [m for child in below for m in _members(child, schema)] or here
    return {key for member in here for key in member.get("properties", {})}


@lru_cache(maxsize=256)
def _schema_of(model: type[BaseModel]) -> _Schema:
    try:
        return model.model_json_schema()
    except PydanticUserError:
        # a plugin's own type without a JSON Schema: its own keys are known all the same
        fields = model.model_fields.items()
        return {"properties": {field.alias or name: {} for name, field in fields}}


def _members(schema: _Schema, root: _Schema) -> Iterator[_Schema]:
    if "$ref" in schema:
        yield from _members(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    for word in ("anyOf", "oneOf", "allOf"):
        for member in schema.get(word, ()):
            yield from _members(member, root)
    yield schema


def _children(schema: _Schema, part: str | int) -> Iterator[_Schema]:
    if isinstance(part, int):
        candidates = [schema.get("items"), *schema.get("prefixItems", ())[part : part + 1]]
    else:
        candidates = [schema.get("properties", {}).get(part), schema.get("additionalProperties")]
    yield from (child for child in candidates if isinstance(child, dict))
