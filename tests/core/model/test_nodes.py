"""YAML text is parsed with or without libyaml, and each fault of it has a place."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from yaml.nodes import MappingNode

from dagfoundry.errors import Finding
from dagfoundry.model.files import ModelFile
from dagfoundry.model.nodes import FastComposer, PythonComposer, compose, place_of

COMPOSERS = pytest.mark.parametrize("composer", [FastComposer, PythonComposer])


def file(text: str) -> ModelFile:
    """Return a file of this text, without a disk."""
    return ModelFile(path=Path("model.yaml"), text=text)


def test_libyaml_is_used_where_it_is() -> None:
    """Wheels of PyYAML bring libyaml; without it loading would take several times as long."""
    assert (FastComposer is PythonComposer) is not yaml.__with_libyaml__


@COMPOSERS
@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("", "1:1", "the file is empty"),
        ("# only this\n", "1:1", "the file is empty"),
        ("- a\n- b\n", "1:1", "the file holds a list, not a mapping"),
        ("\n  text\n", "2:3", "the file holds one value, not a mapping"),
        ("a: b: c\n", "1:5", "mapping values are not allowed"),
        ("a:\n\t- b\n", "2:1", "cannot start any token"),
        ("a: 1\nb: *gone\n", "2:4", "undefined alias"),
        ("a: &x 1\nb: &x 2\n", "2:4", "second occurrence"),
        ("a: 1\n---\nb: 2\n", "2:1", "another document"),
        ("a: 1\n  b: 2\n", "2:4", "mapping values are not allowed"),
        ("a: '\x07'\n", "1:5", "control character U+0007"),
    ],
)
def test_a_fault_of_yaml_has_a_place(
    composer: type[PythonComposer], text: str, place: str, what: str
) -> None:
    """A file that is no YAML mapping gives one finding at the fault."""
    found = compose(file(text), composer)
    assert isinstance(found, Finding)
    assert str(found.place) == f"model.yaml:{place}"
    assert what in found.what
    assert found.remedy


@COMPOSERS
def test_an_open_bracket_names_where_it_begins(composer: type[PythonComposer]) -> None:
    """A fault found at the end of a file leads back to its beginning."""
    found = compose(file("a: 1\nb: [1,\nc: 2\n"), composer)
    assert isinstance(found, Finding)
    assert "begins in line 2" in found.what


@COMPOSERS
@pytest.mark.parametrize("bracket", ["[", "{a: "])
def test_deep_nesting_is_refused(composer: type[PythonComposer], bracket: str) -> None:
    """Brackets without end do not end the process."""
    found = compose(file(f"a: {bracket * 50_000}"), composer)
    assert isinstance(found, Finding)
    assert "nested deeper than 64 levels" in found.what


@COMPOSERS
def test_places_count_characters(composer: type[PythonComposer]) -> None:
    """A column counts characters, not bytes, whatever ends the lines before."""
    node = compose(file("é: 1\r\n'äöü😀': x\r\n"), composer)
    assert isinstance(node, MappingNode)
    assert [str(place_of(value)) for _, value in node.value] == ["model.yaml:1:4", "model.yaml:2:9"]
