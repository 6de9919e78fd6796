"""Values as YAML that the model's reader reads back as the same values.

The reader's rules are not YAML 1.1's, which PyYAML writes by: ``1e5`` without quotes is
text to one and a number to the other. So text is quoted wherever either would take it
for something else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml

from dagfoundry.model.values import plain_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WIDTH: Final = 100
_TEXT: Final = "tag:yaml.org,2002:str"
_ODD: Final = re.compile("[^\n -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
"""Characters that are written as escapes: control characters, other breaks, beyond the BMP."""

_LINES: Final = re.compile(r"(?:[^ \n](?:.*[^ \n])?|[^ \n].*\n+(?:.*\n+)*.*[^ \n])\n?")
_TRAILING_SPACE: Final = re.compile(r" $", re.MULTILINE)


class _Dumper(yaml.SafeDumper):
    """PyYAML's safe dumper, without aliases."""

    def ignore_aliases(self, _data: object) -> bool:
        return True

    def represent_text(self, value: str) -> yaml.ScalarNode:
        return self.represent_scalar(_TEXT, value, style=_style(value))


_Dumper.add_representer(str, _Dumper.represent_text)


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
    return yaml.dump(
        dict(values),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDTH,
        default_flow_style=None,
    )


def section_text(section: str, items: Sequence[Mapping[str, Any]]) -> str:
    """Return a section and its items as YAML, an empty line before each longer item."""
    texts = [_item_text(item) for item in items]
    between = "\n" if any(text.count("\n") > 1 for text in texts) else ""
    return f"{section}:\n" + between.join(texts)


def _item_text(item: Mapping[str, Any]) -> str:
    lines = yaml.dump(
        [dict(item)],
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDTH,
        default_flow_style=None,
    ).split("\n")
    return "\n".join(f"  {line}" if line else "" for line in lines)
