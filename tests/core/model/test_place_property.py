"""Whatever a model looks like, a wrong value is reported exactly where it stands."""

from __future__ import annotations

import io
import string
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dagfoundry.errors import ModelInvalidError
from dagfoundry.model import load_model

if TYPE_CHECKING:
    from random import Random

    import pytest

    from dagfoundry.plugins import Plugins

    Path_ = tuple[str | int, ...]

WORDS = st.text(string.ascii_lowercase, min_size=1, max_size=8)
NAMES = WORDS.map(lambda word: f"n{word}")
TEXTS = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=12
)


def unique_names(strategy: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[Any]]:
    """Return lists of items whose names differ."""
    return st.lists(strategy, max_size=4, unique_by=lambda item: item["name"])


DATABASES = st.one_of(
    st.fixed_dictionaries({"url_variable": NAMES}),
    st.fixed_dictionaries(
        {"driver": WORDS, "database": TEXTS},
        optional={"hostname": TEXTS, "port": st.integers(1, 65535), "credential": NAMES},
    ),
)
DATASETS = st.fixed_dictionaries(
    {"name": NAMES, "key": st.lists(NAMES, min_size=1, max_size=3)}, optional={"table": TEXTS}
)
SHOPS = st.fixed_dictionaries(
    {"name": NAMES, "source": DATABASES},
    optional={
        "owner": TEXTS,
        "enabled": st.booleans(),
        "retries": st.integers(0, 100),
        "tags": st.lists(TEXTS, max_size=3),
        "mode": st.sampled_from(["single", "multi"]),
        "schedule": st.sampled_from(["*/30 * * * *", "@daily"]),
        "datasets": st.lists(DATASETS, max_size=3),
    },
)
RECIPES = st.fixed_dictionaries(
    {
        "name": NAMES,
        "inputs": st.one_of(st.lists(TEXTS, max_size=3), st.dictionaries(WORDS, TEXTS)),
    },
    optional={"output": st.one_of(NAMES, DATASETS)},
)
PLATFORMS = st.fixed_dictionaries({"name": NAMES, "merge_store": DATABASES})
MODELS = st.fixed_dictionaries(
    {
        "foundry": NAMES,
        "platforms": st.lists(
            PLATFORMS, min_size=1, max_size=3, unique_by=lambda item: item["name"]
        ),
    },
    optional={
        "buckets": st.integers(1, 256),
        "shops": unique_names(SHOPS),
        "recipes": unique_names(RECIPES),
    },
)


class Writer:
    """Writes a model as YAML in a random style, and notes where each value begins."""

    def __init__(self, random: Random) -> None:
        self.places: dict[Path_, tuple[int, int]] = {}
        self.keys: dict[Path_, tuple[int, int]] = {}
        self._random = random
        self._break = random.choice(["\n", "\r\n"])
        self._text = io.StringIO()
        self._line, self._column = 1, 1

    def text(self, model: dict[str, Any]) -> str:
        """Return the model as YAML."""
        for _ in range(self._random.randrange(3)):
            self._newline(0)
        self._block(model, (), 0)
        return self._text.getvalue() + self._break

    def _put(self, text: str) -> None:
        self._text.write(text)
        self._column += len(text)

    def _newline(self, indent: int) -> None:
        if self._random.random() < 0.2:
            self._put(self._random.choice(["  # a comment: [x]", " ", " # 'ä😀"]))
        self._text.write(self._break)
        self._line, self._column = self._line + 1, 1
        self._put(" " * indent)

    def _block(self, value: object, path: Path_, indent: int) -> None:
        """Write a value; the cursor stands where its first character goes."""
        self.places[path] = (self._line, self._column)
        if isinstance(value, dict):
            for number, (key, child) in enumerate(value.items()):
                if number:
                    self._newline(indent)
                self._key(key, path)
                self._below(child, (*path, key), indent)
        else:
            for index, child in enumerate(value):
                if index:
                    self._newline(indent)
                spaces = self._random.randrange(1, 4)
                self._put("-" + " " * spaces)
                self._inline(child, (*path, index), indent + 1 + spaces)

    def _key(self, key: str, path: Path_) -> None:
        self.keys[(*path, key)] = (self._line, self._column)
        self._put(self._random.choice([key, f'"{key}"']) + ":")

    def _below(self, value: object, path: Path_, indent: int) -> None:
        """Write a value behind its key."""
        if value and isinstance(value, (dict, list)) and self._random.random() < 0.7:
            deeper = indent + self._random.randrange(1, 5)
            if isinstance(value, list) and self._random.random() < 0.3:
                deeper = indent  # a dash may stand below its key
            self._newline(deeper)
            self._block(value, path, deeper)
        else:
            self._put(" " * self._random.randrange(1, 4))
            self._flow(value, path)

    def _inline(self, value: object, path: Path_, indent: int) -> None:
        """Write a value behind a dash."""
        if value and isinstance(value, dict) and self._random.random() < 0.7:
            self._block(value, path, indent)
        else:
            self._flow(value, path)

    def _flow(self, value: object, path: Path_) -> None:
        self.places[path] = (self._line, self._column)
        if isinstance(value, dict):
            self._put("{")
            for number, (key, child) in enumerate(value.items()):
                self._put(", " if number else "")
                self._key(key, path)
                self._put(" ")
                self._flow(child, (*path, key))
            self._put("}")
        elif isinstance(value, list):
            self._put("[")
            for index, child in enumerate(value):
                self._put(", " if index else "")
                self._flow(child, (*path, index))
            self._put("]")
        else:
            self._put(self._scalar(value))

    def _scalar(self, value: object) -> str:
        if not isinstance(value, str):
            return str(value).lower()
        plain = (
            value.isascii() and value.isalpha() and value.lower() not in {"null", "true", "false"}
        )
        if plain and self._random.random() < 0.5:
            return value
        if self._random.random() < 0.5:
            return "'" + value.replace("'", "''") + "'"
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def leaves(value: object, path: Path_ = ()) -> list[Path_]:
    """Return the paths of all values that hold no others."""
    if isinstance(value, dict):
        return [leaf for key, child in value.items() for leaf in leaves(child, (*path, key))]
    if isinstance(value, list):
        return [leaf for i, child in enumerate(value) for leaf in leaves(child, (*path, i))]
    return [path]


def mappings(value: object, path: Path_ = ()) -> list[Path_]:
    """Return the paths of all mappings whose keys are given by a model."""
    children = value.items() if isinstance(value, dict) else enumerate(value)
    below = [m for k, c in children if isinstance(c, (dict, list)) for m in mappings(c, (*path, k))]
    return [path, *below] if isinstance(value, dict) and path[-1:] != ("inputs",) else below


def at(model: object, path: Path_) -> object:
    """Return the value at a path."""
    for part in path:
        model = model[part]
    return model


def the_finding(text: str, types: Plugins) -> tuple[int, int, str]:
    """Return line, column and path of the only finding."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "model.yaml"
        file.write_bytes(text.encode())
        try:
            load_model([file], types)
        except ModelInvalidError as error:
            (found,) = error.findings
            assert found.place is not None
            return found.place.line, found.place.column, found.path
    message = "the model was accepted"
    raise AssertionError(message)


def path_as_text(path: Path_) -> str:
    """Return a path as findings write it."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)[1:]


@settings(deadline=None)
@given(model=MODELS, data=st.data(), random=st.randoms(use_true_random=False))
def test_a_wrong_value_is_reported_where_it_stands(
    model: dict[str, Any], data: st.DataObject, random: Random, types: Plugins
) -> None:
    """A mapping in the place of any single value is one finding, at its line and column."""
    paths = [path for path in leaves(model) if path[-1] != "output"]  # which may be a mapping
    path = data.draw(st.sampled_from(paths))
    at(model, path[:-1])[path[-1]] = {"wrong": [1]}
    writer = Writer(random)
    text = writer.text(model)
    assert the_finding(text, types) == (*writer.places[path], path_as_text(path))


@settings(deadline=None)
@given(model=MODELS, data=st.data(), random=st.randoms(use_true_random=False))
def test_an_unknown_key_is_reported_where_it_stands(
    model: dict[str, Any], data: st.DataObject, random: Random, types: Plugins
) -> None:
    """A key that no model knows is one finding, where the key begins."""
    path = data.draw(st.sampled_from(mappings(model)))
    at(model, path)["unknown_key"] = 1
    writer = Writer(random)
    text = writer.text(model)
    wanted = (*writer.keys[(*path, "unknown_key")], path_as_text((*path, "unknown_key")))
    assert the_finding(text, types) == wanted


@settings(deadline=None)
@given(model=MODELS, random=st.randoms(use_true_random=False))
def test_a_right_model_is_accepted_in_every_style(
    model: dict[str, Any], random: Random, types: Plugins, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Style does not matter: every value is read back."""
    file = tmp_path_factory.mktemp("model") / "model.yaml"
    file.write_bytes(Writer(random).text(model).encode())
    loaded = load_model([file], types)
    assert loaded.foundry.foundry == model["foundry"]
    names = [item["name"] for key in ("shops", "recipes") for item in model.get(key, ())]
    assert sorted(item.item.name for item in loaded.items) == sorted(names)
