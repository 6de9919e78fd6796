"""Whatever is laid over a model: nothing is lost, and each value keeps its own place."""

from __future__ import annotations

import string
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dagfoundry.model.document import read_document
from dagfoundry.model.environments import apply_environment

WORDS = st.text(string.ascii_lowercase, min_size=1, max_size=6)
SCALARS = st.one_of(WORDS, st.integers(-99, 99), st.booleans(), st.none())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=8,
)
NAMES = st.sampled_from(["anna", "bert", "carl", "dora"])
ITEMS = st.lists(
    st.builds(
        lambda name, rest: {**rest, "name": name}, NAMES, st.dictionaries(WORDS, VALUES, max_size=3)
    ),
    max_size=4,
    unique_by=lambda item: item["name"],
)
MODELS = st.fixed_dictionaries(
    {"shops": ITEMS, "recipes": ITEMS, "git": st.dictionaries(WORDS, VALUES, max_size=3)}
)


def laid(base: dict[str, Any], overlay: dict[str, Any]) -> tuple[Any, Any, dict[str, list[str]]]:
    """Return values and places of a model in an environment, and the lines of its two files."""
    with TemporaryDirectory() as folder:
        files = [Path(folder, "base.yaml"), Path(folder, "over.yaml")]
        texts = [yaml.safe_dump(base), yaml.safe_dump({"environments": {"dev": overlay}})]
        for file, text in zip(files, texts, strict=True):
            file.write_text(text)
        document, findings = apply_environment(read_document(files), "dev")
        lines = {str(f): t.splitlines() for f, t in zip(files, texts, strict=True)}
    assert findings == []
    values = {key: value for key, value in document.values.items() if key != "environments"}
    return values, document.locator, lines


def scalars(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    """Return every value that holds no others, with its path."""
    if isinstance(value, dict):
        return [leaf for key, child in value.items() for leaf in scalars(child, (*path, key))]
    if isinstance(value, list):
        return [leaf for i, child in enumerate(value) for leaf in scalars(child, (*path, i))]
    return [(path, value)]


@settings(deadline=None)
@given(model=MODELS)
def test_an_empty_overlay_and_the_model_itself_change_nothing(model: dict[str, Any]) -> None:
    """Laying nothing, or the same again, over a model leaves its values as they are."""
    assert laid(model, {})[0] == model
    assert laid(model, model)[0] == model


@settings(deadline=None)
@given(model=MODELS, overlay=MODELS)
def test_every_value_stands_where_its_place_says(
    model: dict[str, Any], overlay: dict[str, Any]
) -> None:
    """The text at a value's place reads as that value, whichever file it came from."""
    values, locator, lines = laid(model, overlay)
    for path, value in scalars(values):
        spot = locator.follow(path)
        assert spot.path == path
        text = lines[spot.place.file][spot.place.line - 1][spot.place.column - 1 :]
        assert yaml.safe_load(text) == value


@settings(deadline=None)
@given(model=MODELS, overlay=MODELS)
def test_the_overlay_wins_and_the_rest_stays(
    model: dict[str, Any], overlay: dict[str, Any]
) -> None:
    """Scalars of the overlay hold, what it does not name is as before; ``[]`` empties a list."""
    values = laid(model, overlay)[0]
    for section in ("shops", "recipes"):
        found = {item["name"]: item for item in values[section]}
        upper = {item["name"]: item for item in overlay[section]}
        if not upper:
            assert found == {}
            continue
        assert list(found) == list(
            dict.fromkeys(item["name"] for item in (*model[section], *overlay[section]))
        )
        for item in model[section]:
            if item["name"] not in upper:
                assert found[item["name"]] == item
        for name, item in upper.items():
            for key, value in item.items():
                if not isinstance(value, (dict, list)):
                    assert found[name][key] == value


@settings(deadline=None)
@given(model=MODELS, first=MODELS, second=MODELS)
def test_laying_changes_neither_part(
    model: dict[str, Any], first: dict[str, Any], second: dict[str, Any]
) -> None:
    """One model may be laid under two environments: the first leaves no trace."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "model.yaml")
        file.write_text(yaml.safe_dump({**model, "environments": {"a": first, "b": second}}))
        document = read_document([file])
        before = apply_environment(document, "b")[0].values
        apply_environment(document, "a")
        assert apply_environment(document, "b")[0].values == before
