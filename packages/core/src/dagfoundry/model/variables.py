"""Variables of a model: declared names, replaced as ``${name}`` in its values.

Plain text takes the place of plain text; nothing is evaluated, and keys stay as they are.
Variables are no place for secrets: those are named by ``url_variable`` and ``credential``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.errors import Finding
from dagfoundry.model.overlay import Part
from dagfoundry.model.paths import path_text
from dagfoundry.model.words import choices, holds_password
from dagfoundry.rules import Rule
from dagfoundry.settings import VARIABLE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dagfoundry.model.document import Document
    from dagfoundry.model.paths import Path

_UNREPLACED: Final = frozenset({"environments", "variables"})
_USE: Final = re.compile(r"\$\$\{|\$\{([A-Za-z][A-Za-z0-9_]*)\}|\$\{")


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """A variable of a model.

    Attributes:
        name: Its name.
        text: Its value as text; none if it has none.
        path: Where the value stands in the model.
        source: The environment variable that set it; empty for the model itself.
    """

    name: str
    text: str | None
    path: Path
    source: str = ""


def names_used(text: str) -> list[str]:
    """Return the variables that a text uses, each once."""
    return list(dict.fromkeys(match[1] for match in _USE.finditer(text) if match[1]))


def override_name(name: str) -> str:
    """Return the environment variable that sets a variable."""
    return f"{VARIABLE_PREFIX}{name.upper()}"


def read_variables(document: Document, environment: Mapping[str, str]) -> dict[str, Variable]:
    """Return the declared variables with their values; an empty override counts as none."""
    declared = document.values.get("variables")
    return {
        name: _variable(name, value, environment)
        for name, value in (declared.items() if isinstance(declared, dict) else ())
    }


def _variable(name: str, value: object, environment: Mapping[str, str]) -> Variable:
    path: Path = ("variables", name)
    override = environment.get(override_name(name))
    if override:
        return Variable(name=name, text=override, path=path, source=override_name(name))
    if isinstance(value, dict):
        path, value = (*path, "default"), value.get("default")
    if value is None or isinstance(value, (dict, list)):
        return Variable(name=name, text=None, path=path)
    return Variable(
        name=name, text=value if isinstance(value, str) else json.dumps(value), path=path
    )


def apply_variables(
    document: Document, environment: Mapping[str, str], *, chosen: str | None
) -> tuple[Document, list[Finding]]:
    """Return the model with its variables replaced, and what is wrong with their use.

    Args:
        document: The model in its environment.
        environment: Variables of the process.
        chosen: Name of the environment.
    """
    known = read_variables(document, environment)
    replacer = _Replacer(document, known)
    values = document.values
    if document.has_variables:
        values = {
            key: value if key in _UNREPLACED else replacer.value(value, (key,))
            for key, value in values.items()
        }
    findings = [*_needless(document, known, environment), *_passwords(document, known)]
    findings += replacer.findings
    findings += _unused(document, set(known) - replacer.used, known, chosen)
    return document.rooted(Part(values, document.part.tree)), findings


@dataclass
class _Replacer:
    """Replaces variables in values and notes which ones, and what is wrong."""

    document: Document
    known: Mapping[str, Variable]
    used: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    def value(self, value: Any, path: Path) -> Any:  # noqa: ANN401 - what YAML can hold
        """Return a value with every variable in its texts replaced."""
        if isinstance(value, str):
            return self._text(value, path) if "${" in value else value
        if isinstance(value, list):
            return [self.value(child, (*path, index)) for index, child in enumerate(value)]
        if isinstance(value, dict):
            for key in value:
                if "${" in key:
                    self._report((*path, key), "a key holds no variable", "Write the key out.")
            return {key: self.value(child, (*path, key)) for key, child in value.items()}
        return value

    def _text(self, text: str, path: Path) -> str:
        return _USE.sub(lambda match: self._replacement(match, path), text)

    def _replacement(self, match: re.Match[str], path: Path) -> str:
        whole, name = match.group(), match.group(1)
        if whole == "$${":
            return "${"
        if name is None:
            what = "'${' begins no name of a variable"
            self._report(path, what, "Write ${name}, or $${ for the text itself.")
            return whole
        self.used.add(name)
        variable = self.known.get(name)
        if variable is None:
            remedy = f"{choices(name, self.known)} Declare it, or write $${{ for the text itself."
            what = f"variable {name!r} is not declared"
            self._report(path, what, remedy, Rule.VARIABLE_UNDECLARED)
        elif variable.text is None:
            what = f"variable {name!r} has no value"
            remedy = (
                f"Give it a default, set it in the environment's `variables`, "
                f"or set {override_name(name)}."
            )
            self._report(path, what, remedy, Rule.VARIABLE_MISSING)
        else:
            return variable.text
        return whole

    def _report(
        self, path: Path, what: str, remedy: str, rule: Rule = Rule.VARIABLE_SYNTAX
    ) -> None:
        spot = self.document.locator.follow(path)
        place = spot.key_place if what.startswith("a key") else spot.place
        self.findings.append(
            Finding(what=what, remedy=remedy, path=path_text(path), place=place, rule=rule)
        )


def _needless(
    document: Document, known: Mapping[str, Variable], environment: Mapping[str, str]
) -> Iterator[Finding]:
    names = {override_name(name): name for name in known}
    spot = document.locator.follow(("variables",))
    for source in sorted(environment):
        if source.startswith(VARIABLE_PREFIX) and environment[source] and source not in names:
            yield Finding(
                what=f"{source} is set, but the model declares no such variable",
                remedy=f"Unset it. {choices(source, names)}",
                path="variables",
                place=spot.key_place if spot.path else None,
                rule=Rule.VARIABLE_UNDECLARED,
            )
    for name in known:
        if names[override_name(name)] != name:
            yield Finding(
                what=f"{override_name(name)} would set {name!r} and another variable",
                remedy="Give one of them another name.",
                path=f"variables.{name}",
                place=document.locator.follow(("variables", name)).key_place,
                rule=Rule.NAME_CLASH,
            )


def _passwords(document: Document, known: Mapping[str, Variable]) -> Iterator[Finding]:
    for variable in known.values():
        if variable.source and variable.text and holds_password(variable.text):
            yield Finding(
                what=f"{variable.source} holds a URL with a password",
                remedy="Name a secret by url_variable or credential instead.",
                path=path_text(variable.path),
                place=document.locator.follow(variable.path).place,
                rule=Rule.PASSWORD,
            )


def _unused(
    document: Document, unused: set[str], known: Mapping[str, Variable], chosen: str | None
) -> Iterator[Finding]:
    own = document.part.child("environments")
    overlay = own.child(chosen) if own and chosen else None
    given = overlay.child("variables") if overlay else None
    for name in sorted(unused):
        source = known[name].source
        path: Path = ("environments", chosen or "", "variables", name)
        if source or (given and given.child(name)):
            where = path if given and given.child(name) else known[name].path
            yield Finding(
                what=f"variable {name!r} is set{f' by {source}' if source else ''}, but not used",
                remedy=f"Use it as ${{{name}}}, or do not set it.",
                path=path_text(where),
                place=document.locator.follow(where).key_place,
                rule=Rule.VARIABLE_UNUSED,
            )


def escape(value: Any) -> Any:  # noqa: ANN401 - any value of a model
    """Return a value in which no text is taken for the use of a variable.

    Example::

        >>> escape({"tags": ["${x}", "y"]})
        {'tags': ['$${x}', 'y']}
    """
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, dict):
        return {key: escape(child) for key, child in value.items()}
    return [escape(child) for child in value] if isinstance(value, (list, tuple)) else value
