"""Renders what Airflow parses: a stub and a JSON sidecar per bucket, a file per error.

The same rows give the same bytes on every host, so a version names its content and an old
one can be rendered again from the store's history. Definitions stand in the sidecar, never
in the stub: Airflow stores a file's whole text once per DAG.
"""

from __future__ import annotations

import hashlib
import json
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic_core import from_json

from dagfoundry.names import bucket_file, python_name
from dagfoundry.store.placeholders import placeholders_from_json, placeholders_to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from dagfoundry.store import Placeholder, RowState, VersionRecord

_LONGEST_KEY: Final = 120
"""Longest DAG id that names its error file as it is, in characters."""

_MOST_ERROR_FILES: Final = 100
_HELD: Final = "-held"
_BETWEEN_ROWS: Final = ",\n"
_PLACEHOLDERS: Final = ',"placeholders":'
NO_PLACEHOLDERS: Final = cast("Mapping[str, Placeholder]", MappingProxyType({}))
"""What stands for no row at all."""

_STUB: Final = '''\
"""Airflow DAGs of foundry {foundry}, bucket {bucket:02x}; DAG Foundry writes this file."""

{mark}
from dagfoundry_airflow.loader import load_bucket

globals().update(load_bucket(__file__))
'''

_MARK: Final = "# sha256 of the sidecar: {checksum}"

_ERROR: Final = '''\
"""What is wrong with one Airflow DAG of foundry {foundry}; DAG Foundry writes this file."""

REPORT = {report!r}

raise RuntimeError(REPORT)
'''


def checksum(content: bytes) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def version_name(revision: int, checksums: Mapping[str, str]) -> str:
    """Return the name of a version: ``r<revision>-<12 hex of its content>``.

    Args:
        revision: Revision that the version serves.
        checksums: File name to checksum, of all its files.
    """
    content = json.dumps(checksums, sort_keys=True).encode()
    return f"r{revision}-{checksum(content)[:12]}"


def held_version(version: str) -> str:
    """Return the name under which Airflow is told a version while a refusal is shown beside it.

    Airflow looks for new files only when a version's name changes (3.0 to 3.3). It may pin
    runs to that name, so every host takes it for the version itself.
    """
    return f"{version}{_HELD}"


def plain_version(version: str) -> str:
    """Return the version itself, whichever of its two names is given."""
    return version.removesuffix(_HELD)


def revision_of(version: str) -> int:
    """Return the revision that a version serves.

    Raises:
        ValueError: It is no name of a version.
    """
    found = re.fullmatch(r"r(\d+)-[0-9a-f]{12}", plain_version(version))
    if found is None:
        msg = f"{version!r} is no version; one is named r<revision>-<12 hexadecimal digits>"
        raise ValueError(msg)
    return int(found.group(1))


def sidecar_name(stub: str) -> str:
    """Return the name of the JSON file beside a stub."""
    return f"{stub.removesuffix('.py')}.json"


def error_file(foundry: str, dag_id: str) -> str:
    """Return the name of the file that reports what is wrong with a DAG."""
    return f"dagfoundry_{python_name(foundry)}_error_{_file_key(dag_id)}.py"


def _file_key(dag_id: str) -> str:
    key = re.sub(r"[^A-Za-z0-9_-]", "_", dag_id)[:_LONGEST_KEY]
    return key if key == dag_id else f"{key}_{checksum(dag_id.encode())[:8]}"


def render(
    foundry: str,
    rows: Iterable[RowState],
    errors: Mapping[str, str],
    placeholders: Mapping[str, Placeholder] = NO_PLACEHOLDERS,
) -> dict[str, bytes]:
    """Return all files of a version, by name.

    Args:
        foundry: Name of the foundry.
        rows: The rows that are served.
        errors: DAG id to report.
        placeholders: DAG id to what stands for a row that cannot be built any more.
    """
    buckets: dict[int, list[RowState]] = {}
    for row in rows:
        buckets.setdefault(row.bucket, []).append(row)
    files = render_errors(foundry, errors)
    for bucket, members in buckets.items():
        files |= render_bucket(foundry, bucket, members, placeholders)
    return files


def render_bucket(
    foundry: str,
    bucket: int,
    rows: Iterable[RowState],
    placeholders: Mapping[str, Placeholder] = NO_PLACEHOLDERS,
) -> dict[str, bytes]:
    """Return a bucket's sidecar and stub, by name; nothing for a bucket without rows."""
    members = sorted(rows, key=lambda row: row.dag_id)
    lines = [_json(row.to_json()) for row in members]
    if not lines:
        return {}
    opening = f'{{"bucket":{bucket},"foundry":{_json(foundry)},"rows":[\n'
    here = {row.dag_id: placeholders[row.dag_id] for row in members if row.dag_id in placeholders}
    rest = f"{_PLACEHOLDERS}{_json(placeholders_to_json(here))}" if here else ""
    sidecar = f"{opening}{_BETWEEN_ROWS.join(lines)}\n]{rest}}}\n".encode()
    mark = _MARK.format(checksum=checksum(sidecar))
    stub = _STUB.format(foundry=foundry, bucket=bucket, mark=mark)
    name = bucket_file(foundry, bucket)
    return {sidecar_name(name): sidecar, name: stub.encode()}


def is_whole(stub: Path) -> bool:
    """Return whether a stub and the sidecar beside it are as they were rendered."""
    try:
        text, sidecar = stub.read_bytes(), stub.with_name(sidecar_name(stub.name)).read_bytes()
    except OSError:
        return False
    return _MARK.format(checksum=checksum(sidecar)).encode() in text


def render_errors(foundry: str, errors: Mapping[str, str]) -> dict[str, bytes]:
    """Return the error files, by name: one for each DAG, the last for all beyond a number.

    Airflow parses every file again and again, so a missing plugin must not make
    thousands of them.
    """
    reports = {error_file(foundry, dag_id): errors[dag_id] for dag_id in sorted(errors)}
    if len(reports) > _MOST_ERROR_FILES:
        rest = [reports.pop(name) for name in list(reports)[_MOST_ERROR_FILES:]]
        reports[error_file(foundry, "...")] = "\n\n".join(
            [f"{len(rest)} more DAGs cannot be built.", *rest[:_MOST_ERROR_FILES]]
        )
    return {
        name: _ERROR.format(foundry=foundry, report=report).encode()
        for name, report in reports.items()
    }


def read_rows(sidecar: Path) -> list[dict[str, Any]]:
    """Return the rows of a sidecar, as :meth:`RowState.from_json` takes them."""
    return all_rows(sidecar.read_bytes())


def all_rows(content: bytes) -> list[dict[str, Any]]:
    """Return the rows in a sidecar's content."""
    rows: list[dict[str, Any]] = from_json(content)["rows"]
    return rows


def all_placeholders(content: bytes) -> dict[str, Placeholder]:
    """Return the placeholders in a sidecar's content, by DAG id.

    They stand in its last line, so that a task finds them without parsing the rows.
    """
    line = content[content.rfind(b"\n", 0, -1) + 1 :].rstrip()
    mark = f"]{_PLACEHOLDERS}".encode()
    return placeholders_from_json(from_json(line[len(mark) : -1])) if line.startswith(mark) else {}


def find_row(content: bytes, dag_id: str) -> dict[str, Any] | None:
    """Return one row of a sidecar's content without parsing the others, or None.

    Each row is a line, and its keys are the only unescaped ones in it.
    """
    found = content.find(f'"dag_id":{_json(dag_id)},'.encode())
    if found < 0:
        return None
    begin, end = content.rfind(b"\n", 0, found) + 1, content.find(b"\n", found)
    row: dict[str, Any] = json.loads(content[begin:end].rstrip(b","))
    return row


def served_rows(
    newest: Iterable[RowState], record: VersionRecord, held: Mapping[str, RowState]
) -> list[RowState]:
    """Return the rows that a version serves.

    Args:
        newest: The rows as of the version's revision, of any status.
        record: The version.
        held: DAG id to the row at the revision at which the version holds it.

    Returns:
        Rows that belong in a bucket; a held one has its old definition and its new status.
    """
    visible = [row for row in newest if row.status.in_bucket]
    current = [row for row in visible if row.dag_id not in record.held]
    return current + [
        held[row.dag_id]._replace(status=row.status) for row in visible if row.dag_id in held
    ]


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
