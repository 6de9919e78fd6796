"""Values as YAML that the model's reader reads back as the same values.

The reader's rules are not YAML 1.1's, which PyYAML writes by: ``1e5`` without quotes is
text to one and a number to the other. So text is quoted wherever either would take it
for something else.
"""

from __future__ import annotations

import json
import re
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

import yaml

from dagfoundry.model.values import plain_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WIDTH: Final = 100
_SHORT: Final = 80
_TEXT: Final = "tag:yaml.org,2002:str"
_MAPPING: Final = "tag:yaml.org,2002:map"
_ODD: Final = re.compile("[^\n -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
"""Characters that are written as escapes: control characters, other breaks, beyond the BMP."""

_TRAILING_SPACE: Final = re.compile(r" $", re.MULTILINE)


class _Dumper(yaml.SafeDumper):
    """PyYAML's safe dumper: without aliases, lists indented, what is short on one line."""

    def ignore_aliases(self, _data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - PyYAML's signature
        super().increase_indent(flow=flow, indentless=False)

    def represent_text(self, value: str) -> yaml.ScalarNode:
        return self.represent_scalar(_TEXT, value, style=_style(value))

    def represent_keys(self, value: Mapping[str, Any]) -> yaml.MappingNode:
        node = self.represent_mapping(_MAPPING, value)
        node.flow_style = all(map(_is_short, [v for _, v in node.value]))
        node.flow_style &= len(json.dumps(value)) <= _SHORT
        return node


def _is_short(node: yaml.Node) -> bool:
    if isinstance(node, yaml.ScalarNode):
        return node.style is None
    return isinstance(node, yaml.SequenceNode) and bool(node.flow_style)


_Dumper.add_representer(str, _Dumper.represent_text)
_Dumper.add_representer(dict, _Dumper.represent_keys)


def _style(value: str) -> str | None:
    """Return how text is written: as lines, in quotes, or as PyYAML likes."""
    if _ODD.search(value):
        return '"'
    if "\n" in value:
        neat = value[0] not in " \n" and not _TRAILING_SPACE.search(value)
        return "|" if neat and not value.endswith("\n\n") else '"'
    return None if plain_value(value) == value else "'"


def mapping_text(values: Mapping[str, Any]) -> str:
    """Return a mapping as YAML, its keys in their order."""
    return "".join(_dumped({key: value}) for key, value in values.items())


def section_text(section: str, items: Sequence[Mapping[str, Any]]) -> str:
    """Return a section and its items as YAML, an empty line between longer items."""
    texts = [_indented(_dumped([dict(item)])) for item in items]
    between = "\n" if any(text.count("\n") > 1 for text in texts) else ""
    return f"{section}:\n" + between.join(texts)


def _dumped(value: dict[str, Any] | list[dict[str, Any]]) -> str:
    dumper = _Dumper(StringIO(), default_flow_style=None, sort_keys=False)
    node = dumper.represent_data(value)
    if isinstance(node, yaml.CollectionNode):
        node.flow_style = False  # at the top level every key has a line of its own
    return yaml.serialize(node, Dumper=_Dumper, allow_unicode=True, width=_WIDTH)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in text.split("\n"))
