"""How findings speak of values, choices and near misses."""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST: Final = 80
_PASSWORD: Final = re.compile(r"(://[^/@\s:]*):[^/@\s]*@")
_ASSIGNED: Final = re.compile(r"\b(\w*passw(?:or)?d=)[^\s&;,'\"]+", re.IGNORECASE)


def shown(value: object) -> str:
    """Return a value for a message: short, on one line, a URL without its password."""
    if isinstance(value, dict):
        return f"a mapping of {len(value)} keys"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    text = without_passwords(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def without_passwords(text: str) -> str:
    """Return a text in which the passwords of URLs and connection strings are stars."""
    return _ASSIGNED.sub(r"\1***", _PASSWORD.sub(r"\1:***@", text))


def holds_password(text: str) -> bool:
    """Return whether a text holds a URL with a password."""
    return _PASSWORD.search(text) is not None


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that ``word`` was most likely meant to be."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1)), None)


def choices(word: str, known: Iterable[str]) -> str:
    """Return the remedy for a word that is none of the known ones."""
    known = sorted(known)
    near = nearest(word, known)
    hint = f"Did you mean {near!r}? " if near else ""
    return f"{hint}Allowed: {', '.join(known) or 'nothing'}."
