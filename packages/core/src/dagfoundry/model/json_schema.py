"""The JSON Schema (draft 2020-12) of a model's files, for editors.

A model may be spread over several files, so no file needs every key of the foundry.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel
from pydantic.errors import PydanticUserError

from dagfoundry.model.defaults import NO_DEFAULTS
from dagfoundry.model.environments import WITHOUT
from dagfoundry.model.schema import FoundryModel, ItemOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagfoundry.plugins import Plugins

_Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_VARIABLE: Final = {"type": "string", "pattern": r"\$\{", "description": "Text with a ${variable}"}
_DEFINITIONS: Final = "#/$defs/"
_PARTIAL: Final = "partial."
"""Name of a definition of which nothing has to be there."""

_TEXTS: Final = re.compile(r"^    (\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)
"""The attributes of a docstring."""

_NOTES: Final = frozenset({"title", "default", "description"})
_BRANCHES: Final = ("anyOf", "oneOf", "allOf", "prefixItems")


def model_schema(plugins: Plugins) -> _Schema:
    """Return the JSON Schema of a model with the sections of all installed types."""
    definitions: _Schema = {"Variable": _VARIABLE}
    own = _own(FoundryModel, definitions)
    sections = {
        section: {"type": ["array", "null"], "items": _item(plugins, kind, definitions)}
        for section, kind in plugins.sections.items()
    }
    defaults = _defaults(sections, definitions)
    definitions["PlatformModel"]["properties"]["defaults"] = defaults
    keys = {**own["properties"], **sections, "defaults": defaults}
    definitions.update({f"{_PARTIAL}{k}": _partial(s) for k, s in list(definitions.items())})
    _show_examples(plugins, definitions)  # last, since an example is a whole item
    keys["environments"] = _environments(keys, frozenset({"platforms", *sections}))
    return {
        "$schema": DIALECT,
        "title": "A model of DAG Foundry",
        "type": "object",
        "properties": keys,
        "additionalProperties": False,
        "$defs": definitions,
    }


def _own(model: type[BaseModel], definitions: _Schema, prefix: str = "") -> _Schema:
    """Return a model's schema; what it refers to goes into the definitions."""
    try:
        schema = model.model_json_schema(ref_template=f"{_DEFINITIONS}{prefix}{{model}}")
    except PydanticUserError:  # a plugin's own type without a JSON Schema
        return {"type": "object", "required": ["name"]}
    for name, definition in schema.pop("$defs", {}).items():
        definitions[f"{prefix}{name}"] = _with_variables(_described(definition))
    bases = [base for base in reversed(model.__mro__) if issubclass(base, BaseModel)]
    texts = "\n".join(inspect.cleandoc(base.__doc__ or "") for base in bases)
    return _with_variables(_described(schema, texts))


def _described(schema: _Schema, texts: str = "") -> _Schema:
    """Move what a docstring says of each attribute to its key, where editors show it."""
    text = schema.get("description", "")
    properties = {key: dict(child) for key, child in schema.get("properties", {}).items()}
    for name, meaning in _TEXTS.findall(f"{texts}\n{text}"):
        if name in properties:
            properties[name]["description"] = " ".join(meaning.split())
    changed = {**schema, **({"properties": properties} if properties else {})}
    if text:
        changed["description"] = " ".join(text.partition("\n\n")[0].split())
    return changed


def _item(plugins: Plugins, kind: str, definitions: _Schema) -> _Schema:
    name = _item_name(kind)
    definitions[name] = _own(plugins.types[kind].type.item, definitions, prefix=f"{kind}.")
    return {"$ref": f"{_DEFINITIONS}{name}"}


def _item_name(kind: str) -> str:
    return f"{kind}.Item"


def _show_examples(plugins: Plugins, definitions: _Schema) -> None:
    for kind, installed in plugins.types.items():
        if installed.type.examples:
            definitions[_item_name(kind)]["examples"] = [dict(e) for e in installed.type.examples]


def _with_variables(schema: _Schema) -> _Schema:
    """Let every value that is more than any text be a text with a variable, too."""
    changed = _mapped(schema, _with_variables)
    restricted = {"pattern", "enum", "const", "minLength", "maxLength", "format"} & set(schema)
    kinds = schema.get("type", ())
    typed = {kinds} if isinstance(kinds, str) else set(kinds)  # a plugin's own schema may list them
    if restricted or (typed & {"integer", "number", "boolean"} and "string" not in typed):
        notes: _Schema = {key: changed.pop(key) for key in _NOTES & set(changed)}
        return {"anyOf": [changed, {"$ref": f"{_DEFINITIONS}Variable"}], **notes}
    return changed


def _partial(schema: _Schema) -> _Schema:
    """Return a schema in which nothing has to be there."""
    changed = _mapped(schema, _partial)
    changed.pop("required", None)
    if "$ref" in changed:
        changed["$ref"] = _partial_reference(changed["$ref"])
    return changed


def _partial_reference(reference: str) -> str:
    name = reference.removeprefix(_DEFINITIONS)
    known = name == "Variable" or name.startswith(_PARTIAL)
    return reference if known else f"{_DEFINITIONS}{_PARTIAL}{name}"


def _mapped(schema: _Schema, change: Callable[[_Schema], _Schema]) -> _Schema:
    """Return a schema with each schema inside it changed, those of keys left alone."""
    changed = dict(schema)
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), dict):
            changed[word] = change(schema[word])
    for word in ("properties", "patternProperties"):
        if word in schema:
            changed[word] = {key: change(child) for key, child in schema[word].items()}
    for word in _BRANCHES:
        if word in schema:
            changed[word] = [change(child) for child in schema[word]]
    return changed


def _defaults(sections: _Schema, definitions: _Schema) -> _Schema:
    options = _own(ItemOptions, definitions)["properties"]
    own = {section: _default_keys(section_schema) for section, section_schema in sections.items()}
    return {
        "type": ["object", "null"],
        "description": "What items take over; the keys of one section stand below its name.",
        "properties": {**options, **own},
        "additionalProperties": False,
    }


def _default_keys(section: _Schema) -> _Schema:
    reference = _partial_reference(section["items"]["$ref"])
    no_keys = [{"not": {"required": [key]}} for key in sorted(NO_DEFAULTS)]
    return {"allOf": [{"$ref": reference}, *no_keys]}


def _named(array: _Schema) -> _Schema:
    """Return the schema of a list of which each item says by its name what it is about."""
    return {**array, "items": {"allOf": [array["items"], {"required": ["name"]}]}}


def _environments(keys: _Schema, named: frozenset[str]) -> _Schema:
    names = {
        "type": ["object", "null"],
        "description": "Names of the items that the environment has not got, by section.",
        "additionalProperties": {"type": "array", "items": {"type": "string"}},
    }
    inside = {
        key: _partial(child) if key not in named else _named(_partial(child))
        for key, child in keys.items()
        if key != "environments"
    }
    overlay = {
        "type": ["object", "null"],
        "description": "What is different in this environment.",
        "properties": {**inside, WITHOUT: names},
        "additionalProperties": False,
    }
    return {"type": ["object", "null"], "additionalProperties": overlay}
