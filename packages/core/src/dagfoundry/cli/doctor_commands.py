"""The command that looks whether an installation can serve its fleet: doctor."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dagfoundry.cli.options import AsJson  # noqa: TC001 - typer reads the annotations
from dagfoundry.cli.output import print_json, print_line, print_table
from dagfoundry.doctor import Verdict, examine, look_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dagfoundry.doctor import Examined, Setting


def doctor(
    *,
    foundry: Annotated[
        str | None, typer.Option("--foundry", help="The foundry; the store's only one by default.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Check the store, the plugins and Airflow's settings; exits with 1 if one is a problem.

    Run it with the environment of the Airflow process that it is to judge.
    """
    with redirect_stdout(sys.stderr):  # Airflow logs to stdout, which may be read as JSON
        subject = look_at(foundry)
        found = list(examine(subject))
    verdicts = Counter(each.diagnosis.verdict for each in found)
    if as_json:
        counts = {verdict.value: verdicts[verdict] for verdict in Verdict}
        checks = [_values(each) for each in found]
        print_json({"foundry": subject.foundry, "counts": counts, "checks": checks})
    else:
        _show(found)
        print_line(_summary(subject.foundry, verdicts))
    return 1 if verdicts[Verdict.PROBLEM] else 0


def _show(found: Sequence[Examined]) -> None:
    by_area: dict[str, list[Examined]] = {}
    for each in found:
        by_area.setdefault(each.check.area, []).append(each)
    for area, members in by_area.items():
        print_line(area)
        print_table(("", "check", "found"), [row for each in members for row in _rows(each)])
        print_line("")


def _rows(each: Examined) -> Iterator[tuple[str, str, str]]:
    diagnosis = each.diagnosis
    yield diagnosis.verdict.value, each.check.id, diagnosis.found
    if diagnosis.verdict is not Verdict.OK:
        yield "", "  why", each.check.why
        yield "", "  what to do", diagnosis.remedy
        yield from (("", "  set", str(setting)) for setting in diagnosis.settings)


def _summary(foundry: str | None, verdicts: Counter[Verdict]) -> str:
    problems, advice = verdicts[Verdict.PROBLEM], verdicts[Verdict.ADVICE]
    return (
        f"{foundry or 'no foundry'}: {verdicts.total()} checks, "
        f"{problems} {'problem' if problems == 1 else 'problems'}, {advice} with advice"
    )


def _values(each: Examined) -> dict[str, Any]:
    check, diagnosis = each.check, each.diagnosis
    return {
        "id": check.id,
        "area": check.area,
        "verdict": diagnosis.verdict.value,
        "looks_at": check.looks_at,
        "found": diagnosis.found,
        "why": check.why,
        "remedy": diagnosis.remedy,
        "settings": [_setting(setting) for setting in diagnosis.settings],
        "airflow": list(check.airflow),
        "offered_by": each.offered_by,
    }


def _setting(setting: Setting) -> dict[str, str | None]:
    return {
        "variable": setting.variable,
        "value": setting.value,
        "option": setting.option or None,
    }


COMMANDS = {"doctor": doctor}
