"""The change that the demo makes to the quickstart's model: three edits to a copy of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
MODEL_FILES: Final = ("platform.yaml", "stores.yaml", "transformers.yaml")

ADDED_DAG: Final = "yellowlive__Operations_aircraft_ingestion"
RESCHEDULED_DAG: Final = "yellowlive__Reference_ingestion"
REMOVED_DAG: Final = "yellowlive__CarrierDelays_datatransformer"


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """A text of a file that becomes another; it must stand there once."""

    file: str
    old: str
    new: str


def changed_model(folder: Path) -> Path:
    """Write the changed model into a folder and return the folder.

    A stream is added, a schedule changed and a transformer removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {name: (HERE / name).read_text(encoding="utf-8") for name in MODEL_FILES}
    for edit in _edits(texts):
        texts[edit.file] = _apply(edit, texts[edit.file])
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def _edits(texts: dict[str, str]) -> tuple[Edit, ...]:
    flights = "      - {name: flights, key: [time_hour, carrier, flight]}\n"
    aircraft = "      - {name: aircraft, key: [tailnum], table: planes}\n"
    return (
        Edit(file="stores.yaml", old=flights, new=flights + aircraft),
        Edit(file="stores.yaml", old='"*/30 * * * *"', new='"0 * * * *"'),
        Edit(file="transformers.yaml", old=_carrier_delays(texts["transformers.yaml"]), new=""),
    )


def _carrier_delays(transformers: str) -> str:
    """Return the text of the first transformer."""
    start = transformers.index("  # Runs at a time of day.\n")
    return transformers[start : transformers.index("  # Runs when both of its inputs")]


def _apply(edit: Edit, text: str) -> str:
    if text.count(edit.old) != 1:
        msg = f"{edit.file} does not hold this text once:\n{edit.old}"
        raise ValueError(msg)
    return text.replace(edit.old, edit.new)
