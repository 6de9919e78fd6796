"""Shows what a plugin's author would notice: the public interface beside that of a release.

``python docs/api_changes.py [--against REF]``: REF is a tag or commit, by default the newest tag
``v*``. What is public is what the modules below export, and every hook. Exits with 1 when
something is gone or is called otherwise.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import griffe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parent.parent
SOURCES = "packages/core/src"
PACKAGE = "dagfoundry"
MODULES = ("dagfoundry", "dagfoundry.testing", "dagfoundry.doctor", "dagfoundry.serving")
HOOKS = "dagfoundry.hookspecs"


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Print what is new, gone and changed; return 1 when a plugin could break."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", metavar="REF", help="tag or commit; the newest tag v* if none")
    against = parser.parse_args(arguments).against or newest_tag(root)
    if against is None:
        sys.stderr.write("error: there is no tag v*\n  Name a commit: --against REF.\n")
        return 1
    old, new = load_at(against, root), griffe.load(PACKAGE, search_paths=[root / SOURCES])
    broken = list(breakages(public(old), public(new)))
    for name in sorted(public(new).keys() - public(old).keys()):
        print(f"new: {name}")
    for line in broken:
        print(line)
    print(f"{len(broken)} changes since {against} can break a plugin")
    return 1 if broken else 0


def newest_tag(root: Path) -> str | None:
    """Return the newest tag of a release, or None."""
    command = ["git", "tag", "--list", "v*", "--sort=-version:refname"]
    tags = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return next(iter(tags.stdout.split()), None)


def load_at(reference: str, root: Path) -> griffe.Object | griffe.Alias:
    """Return the package as it was at a tag or commit.

    Raises:
        SystemExit: There is no such tag or commit.
    """
    command = ["git", "rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}"]
    if subprocess.run(command, cwd=root, capture_output=True, check=False).returncode:
        sys.exit(f"error: there is no tag or commit {reference!r}\n  `git tag` lists the tags.")
    return griffe.load_git(PACKAGE, ref=reference, repo=root, search_paths=[SOURCES])


def public(package: griffe.Object | griffe.Alias) -> dict[str, griffe.Object | griffe.Alias]:
    """Return what is public, by the name that its users write."""
    found = {}
    for path in MODULES:
        module = _member(package, path)
        for name in (module.exports or []) if module else []:
            found[f"{path}.{name}"] = module[str(name)]
    for name, hook in (_member(package, HOOKS) or package).members.items():
        if name.startswith("dagfoundry_"):
            found[f"{HOOKS}.{name}"] = hook
    return found


def _member(
    package: griffe.Object | griffe.Alias, path: str
) -> griffe.Object | griffe.Alias | None:
    inside = path.split(".")[1:]
    try:
        return package[inside] if inside else package
    except KeyError:
        return None


def breakages(
    old: dict[str, griffe.Object | griffe.Alias], new: dict[str, griffe.Object | griffe.Alias]
) -> Iterator[str]:
    """Yield a line for each thing that is gone or that is called otherwise."""
    for name, before in sorted(old.items()):
        if name not in new:
            yield f"gone: {name}"
            continue
        for change in griffe.find_breaking_changes(_alone(before), _alone(new[name])):
            yield f"changed: {name}: {change.explain(style=griffe.ExplanationStyle.ONE_LINE)}"


def _alone(thing: griffe.Object | griffe.Alias) -> griffe.Module:
    """Return a module of one thing: what a function takes is compared as a module's member only."""
    module = griffe.Module("public")
    module.members["it"] = thing.final_target if isinstance(thing, griffe.Alias) else thing
    return module


if __name__ == "__main__":
    sys.exit(main())
