"""Every finding names a declared rule, and every rule is one that some finding names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import dagfoundry
from dagfoundry.rules import Rule

SOURCES = sorted(Path(dagfoundry.__file__).parent.rglob("*.py"))


def calls(name: str) -> list[tuple[Path, ast.Call]]:
    """Return every call of a class or method of this name."""
    return [
        (file, node)
        for file in SOURCES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", getattr(node.func, "attr", "")) == name
    ]


def test_every_finding_names_its_rule() -> None:
    """The rule is written where a finding is made."""
    made = calls("Finding")
    assert made
    without = [
        f"{file.name}:{call.lineno}"
        for file, call in made
        if "rule" not in {keyword.arg for keyword in call.keywords}
    ]
    assert without == []


def test_every_rule_is_used() -> None:
    """No rule is declared in vain; ``model.other`` is for what is yet to get a rule."""
    text = "\n".join(file.read_text() for file in SOURCES)
    assert [rule.name for rule in Rule if f"Rule.{rule.name}" not in text] == []


def test_ids_are_stable_words() -> None:
    """An id is a group and a name, and each rule is explained in a sentence."""
    for rule in Rule:
        assert re.fullmatch(r"[a-z]+\.[a-z-]+", rule.value)
        assert rule.summary.endswith(".")
