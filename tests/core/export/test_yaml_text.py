"""What is written as YAML reads back as the same values, whatever it looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dagfoundry.export.yaml_text import mapping_text, section_text
from dagfoundry.model.document import read_document

if TYPE_CHECKING:
    from pathlib import Path

TRAPS = [
    "", "no", "on", "true", "null", "~", "007", "1", "1.5", "1e5", "-1e5", "+1", "0x1F", "1_000",
    "2024-01-01", "12:30:00", "<<", "=", "- a", "a: b", "a #b", "#a", "*a", "&a", "!a", "%a", "@a",
    "`a", "'", '"', "{}", "[]", ",", " a", "a ", "a\n", "\na", "a\n\n", "a\n b\n", " a\nb", "a \nb",
    "a\tb", "\t", "\u0085", "\u2028", "\ufeff", "\u00a0", "é", "日本", "🦉", "\x00", "\x7f", "\\",
    "SELECT 1\n  FROM a -- b: c\n", "---", "...", "--- a", "? a", "a: ", "x" * 300, "a b " * 60,
]  # fmt: skip


def read_back(folder: Path, text: str) -> dict[str, Any]:
    """Return what the model's reader makes of a file."""
    (folder / "model.yaml").write_text(text, encoding="utf-8")
    document = read_document([folder])
    assert document.findings == ()
    return document.values


@pytest.mark.parametrize("text", TRAPS, ids=ascii)
def test_text_that_looks_like_something_else_stays_text(tmp_path: Path, text: str) -> None:
    """In a block, in braces, in brackets and as a key."""
    item = {"name": text, "deep": {"a": text, "b": [text, text]}, text or "k": 1}
    assert read_back(tmp_path, section_text("items", [item, item])) == {"items": [item, item]}
    assert read_back(tmp_path, mapping_text({"a": item})) == {"a": item}


characters = st.characters(exclude_categories=["Cs"])
texts = st.text(characters, max_size=12) | st.sampled_from(TRAPS)
scalars = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)
items = st.lists(st.dictionaries(texts, values, min_size=1, max_size=5), min_size=1, max_size=4)


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(section=items)
@example(section=[{"a": 0.5, "b": 1e-07, "c": 1e16, "d": -2.25}])
def test_any_values_read_back_equal(tmp_path: Path, section: list[dict[str, Any]]) -> None:
    """Nothing in a row can break the file that it is written to."""
    assert read_back(tmp_path, section_text("items", section)) == {"items": section}


def test_what_is_short_stands_on_one_line() -> None:
    """Items begin with their name, statements keep their lines, items keep a distance."""
    text = section_text(
        "stores",
        [
            {"name": "A", "datasets": [{"name": "x", "key": ["id"]}]},
            {"name": "B", "sql": "SELECT 1\n  FROM x", "enabled": False},
        ],
    )
    assert text == (
        "stores:\n"
        "  - name: A\n"
        "    datasets:\n"
        "      - {name: x, key: [id]}\n"
        "\n"
        "  - name: B\n"
        "    sql: |-\n"
        "      SELECT 1\n"
        "        FROM x\n"
        "    enabled: false\n"
    )
