"""The command that says where a value of an entry comes from."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dagfoundry.cli.options import (
    AsJson,
    EnvironmentName,
    ModelPaths,
    model_paths,
    read_model,
)
from dagfoundry.cli.output import print_json, print_line, print_table
from dagfoundry.model.words import shown
from dagfoundry.origins import EntryOrigins
from dagfoundry.plugins import load_plugins
from dagfoundry.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dagfoundry.model.origins import Step
    from dagfoundry.origins import Explanation


def explain(
    entry: Annotated[str, typer.Argument(metavar="ENTRY", help="A DAG id, or an entry's key.")],
    field: Annotated[
        str | None,
        typer.Argument(
            metavar="FIELD",
            help="A key of the item or of the row, such as source.credential; all by default.",
            show_default=False,
        ),
    ] = None,
    model: ModelPaths = None,
    *,
    environment: EnvironmentName = None,
    as_json: AsJson = False,
) -> None:
    """Show where a value of an entry comes from, layer by layer."""
    if field and not model and not read_settings().model and Path(field).exists():
        model, field = [Path(field)], None  # `explain ENTRY MODEL`
    paths = model_paths(model)
    origins = EntryOrigins(paths, read_model(paths, environment), load_plugins(), entry=entry)
    if field is None:
        _show_all(origins.all_fields(), as_json=as_json)
    else:
        _show_one(origins.dag_id, origins.field(field), as_json=as_json)


def _show_all(explanations: Iterable[Explanation], *, as_json: bool) -> None:
    if as_json:
        print_json([_as_json(each) for each in explanations])
        return
    rows = [
        (each.field, _short(each.value), *_source(each.steps[each.winners[-1]]))
        for each in explanations
    ]
    print_table(("field", "value", "from", "place"), rows)


def _show_one(dag_id: str, explanation: Explanation, *, as_json: bool) -> None:
    if as_json:
        print_json({"entry": dag_id, **_as_json(explanation)})
        return
    print_line(f"{dag_id}: {explanation.field} = {_short(explanation.value)}")
    winners = explanation.winners
    print_table(
        ("", "layer", "value", "place"),
        [
            ("*" if index in winners else "", step.layer, _short(step.value), step.place or "")
            for index, step in enumerate(explanation.steps)
        ],
    )


def _source(step: Step) -> tuple[str, str]:
    return step.layer, str(step.place or "")


def _short(value: object) -> str:
    return shown(value) if isinstance(value, str) else json.dumps(value)


def _as_json(explanation: Explanation) -> dict[str, Any]:
    winners = explanation.winners
    steps = [
        {
            "layer": step.layer,
            "value": step.value,
            "place": asdict(step.place) if step.place else None,
            "wins": index in winners,
        }
        for index, step in enumerate(explanation.steps)
    ]
    return {"field": explanation.field, "value": explanation.value, "layers": steps}


COMMANDS = {"explain": explain}
