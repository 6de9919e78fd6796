"""The pytest plugin: runs conformance suites by ``--dagfoundry-type``, and shows what they say.

pytest loads this module wherever DAG Foundry is installed, so it stands outside of the package
``dagfoundry`` and imports nothing of it before a suite is there.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    import os
    from collections.abc import Generator
    from pathlib import Path

_OPTION: Final = "--dagfoundry-type"
_DESTINATION: Final = "dagfoundry_types"
_NODE: Final = "dagfoundry"
_SUBJECT: Final = "dagfoundry_subject"
"""The attribute by which a suite is known without an import."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the option."""
    parser.getgroup("dagfoundry", "DAG Foundry").addoption(
        _OPTION,
        action="append",
        default=[],
        dest=_DESTINATION,
        metavar="NAME",
        help="run the conformance suite of this installed factory type (repeatable); without "
        "files or folders, only that",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect nothing but the suites where types are named, and no files."""
    if config.getoption(_DESTINATION) and config.args_source is not config.ArgsSource.ARGS:
        config.args = []


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Add the suites of the named types to what the session collects."""
    report = yield
    if isinstance(collector, pytest.Session) and collector.config.getoption(_DESTINATION):
        path = collector.config.rootpath / _NODE
        suites = _Suites.from_parent(collector, path=path, nodeid=_NODE)
        report.result = [*(report.result or ()), suites]
    return report


def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class,
    name: str,
    obj: object,  # noqa: ARG001 - pytest names the argument
) -> pytest.Function | None:
    """Make the tests of a suite."""
    suite = getattr(collector.obj, _SUBJECT, None) is not None
    if suite and isinstance(collector, pytest.Class) and name.startswith("test_"):
        check: pytest.Function = _Check.from_parent(collector, name=name)
        return check
    return None


class _Suites(pytest.Module):
    """The suites of the types that the command line names, as if a file held them."""

    def _getobj(self) -> ModuleType:
        from dagfoundry.testing import conformance_suite

        module = ModuleType(_NODE)
        for factory_type in dict.fromkeys(self.config.getoption(_DESTINATION)):
            suite = conformance_suite(factory_type)
            setattr(module, suite.__name__, suite)
        return module


class _Check(pytest.Function):
    """One test of a suite; an error that explains itself is shown without a traceback."""

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """Return the place of the suite, not that of the method it inherits."""
        path: Path = self.path
        return path, None, self.getmodpath()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:  # type: ignore[override] # noqa: ANN401 - as pytest.Function has it, whose type is private
        """Return what is shown of a failure."""
        errors = sys.modules.get("dagfoundry.errors")
        if errors is not None and isinstance(excinfo.value, errors.FoundryError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)
