"""A model holds no password: URLs that carry one are refused wherever they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagfoundry.errors import Finding
from dagfoundry.model.paths import path_text
from dagfoundry.model.words import holds_password, shown
from dagfoundry.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagfoundry.model.document import Document
    from dagfoundry.model.paths import Path


def find_passwords(document: Document) -> Iterator[Finding]:
    """Find values that hold a URL with a password."""
    if document.has_passwords:
        for path, text in _texts(document.values, ()):
            if holds_password(text):
                yield Finding(
                    what=f"{shown(text)} holds a password",
                    remedy="A model holds no secret: name it by url_variable or credential.",
                    path=path_text(path),
                    place=document.locator.follow(path).place,
                    rule=Rule.PASSWORD,
                    value=shown(text),
                )


def _texts(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, (dict, list)):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, child in pairs:
            yield from _texts(child, (*path, key))
