"""Plain text in YAML becomes values without the traps of YAML 1.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagfoundry.model.values import number

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagfoundry.errors import Finding
    from dagfoundry.model import LoadedModel

    Options = Callable[[str], dict[str, object]]

SHOP = "shops:\n- name: a\n  source: {url_variable: S}\n"


@pytest.fixture
def options(load: Callable[..., LoadedModel]) -> Options:
    """Return what the free mapping of an item holds."""

    def read(text: str) -> dict[str, object]:
        return load(f"{SHOP}  options:\n    {text}\n").items[0].item.options

    return read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-7", -7),
        ("+3", 3),
        ("0", 0),
        ("007", "007"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("1.5", 1.5),
        ("-2.5e3", -2500.0),
        ("1.", "1."),
        (".5", ".5"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("9" * 30, "9" * 30),
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01T12:00:00Z", "2024-01-01T12:00:00Z"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("=", "="),
    ],
)
def test_plain_text_becomes_a_value(options: Options, text: str, value: object) -> None:
    """Truth values, null and decimal numbers have a type; all else is text."""
    found = options(f"key: {text}")["key"]
    assert found == value
    assert type(found) is type(value)


@settings(deadline=None)
@given(st.integers(min_value=-(10**17), max_value=10**17))
def test_every_decimal_integer_is_read_back(value: int) -> None:
    """An integer of up to 18 digits is that integer."""
    assert number(str(value)) == value


@settings(deadline=None)
@given(st.text(min_size=1))
def test_whatever_is_no_number_stays_the_same_text(text: str) -> None:
    """Text is either a number that prints alike or left alone."""
    found = number(text)
    assert found == text if isinstance(found, str) else float(text) == found


def test_keys_are_text(options: Options) -> None:
    """A key is the text as written, whatever it looks like."""
    assert options("{1: a, true: b, null: c, on: d}") == {
        "1": "a",
        "true": "b",
        "null": "c",
        "on": "d",
    }


def test_anchors_and_merge_keys_are_resolved(load: Callable[..., LoadedModel]) -> None:
    """An alias repeats a value; a merge key fills in what an item does not say."""
    model = load(
        """\
        shops:
          - &first
            name: a
            source: &source {url_variable: S}
            owner: me
          - <<: *first
            name: b
          - {<<: [{owner: you}, *first], name: c, source: *source}
        """
    )
    items = [item.item for item in model.items]
    assert [(item.name, item.owner) for item in items] == [("a", "me"), ("b", "me"), ("c", "you")]
    assert {item.source.url_variable for item in items} == {"S"}


def test_a_fault_in_an_alias_is_placed_at_its_anchor(
    findings: Callable[..., list[Finding]],
) -> None:
    """The value to mend stands at the anchor; every item that repeats it is named."""
    found = findings("shops:\n- {name: a, source: &s {url_variable: 5}}\n- {name: b, source: *s}\n")
    assert [(f.path, f.place.line, f.place.column) for f in found] == [
        ("shops[0].source.url_variable", 6, 39),
        ("shops[1].source.url_variable", 6, 39),
    ]


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("key: !custom 5", 10, "the tag !custom is not allowed"),
        ("key: !!python/name:os.system x", 10, "python/name:os.system is not allowed"),
        ("key: !!int 5", 10, "is not allowed"),
        ("key: !!set {a}", 10, "is not allowed"),
        ("!tag key: 1", 5, "the tag !tag is not allowed"),
        ("? [a, b]\n    : 1", 7, "a list or mapping cannot be a key"),
        ("{a: 1, b: 2, a: 3}", 18, "key 'a' stands in this mapping already"),
        ("{a: 1, 'a': 3}", 12, "key 'a' stands in this mapping already"),
        ("key: &x [*x]", 10, "an alias holds itself"),
        ("{<<: 5}", 10, "only mappings can be merged"),
        ("&x {<<: *x}", 5, "only mappings can be merged"),
    ],
)
def test_yaml_that_a_model_may_not_hold(
    finding: Callable[..., Finding], text: str, column: int, what: str
) -> None:
    """Tags, keys that are no text, repeated keys and endless aliases are refused."""
    found = finding(f"{SHOP}  options:\n    {text}\n")
    assert what in found.what
    assert (found.place.line, found.place.column) == (9, column)


def test_a_repeated_section_is_refused(finding: Callable[..., Finding]) -> None:
    """A second section of one name does not replace the first in silence."""
    found = finding(f"{SHOP}shops: []\n")
    assert (found.path, found.place.line, found.place.column) == ("shops", 8, 1)


def test_aliases_that_explode_are_refused(finding: Callable[..., Finding]) -> None:
    """Eight lists, each ten times the one before, are not written out."""
    lists = ["    l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n"]
    for n in range(1, 8):
        aliases = ", ".join([f"*l{n - 1}"] * 10)
        lists.append(f"    l{n}: &l{n} [{aliases}]\n")
    found = finding(f"{SHOP}  options:\n{''.join(lists)}")
    assert "aliases of aliases stand for 12" in found.what
    assert (found.place.line, found.place.column) == (14, 9)
