"""The same rows give the same files, whatever stands in them."""

from __future__ import annotations

import ast
import json
import runpy
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagfoundry.factories import Status
from dagfoundry.store import RowState, VersionRecord
from dagfoundry_airflow.snapshot import (
    checksum,
    error_file,
    find_row,
    read_rows,
    render,
    render_bucket,
    render_errors,
    served_rows,
    version_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REPORT = "DAG 'x' cannot be built: \"quoted\" {braces} \\ and\nlines \N{SNOWMAN}"


def test_a_stub_is_found_by_airflow_and_holds_no_definition(
    make_row: Callable[..., RowState],
) -> None:
    """Airflow looks for two words, and stores the whole text once per DAG."""
    files = render_bucket("Testing", 3, [make_row(config={"greeting": "Hello" * 1000})])
    stub = files["dagfoundry_testing_03.py"]
    assert b"airflow" in stub
    assert b"DAG" in stub
    assert len(stub) < 400
    ast.parse(stub)


def test_a_stub_changes_with_its_sidecar(make_row: Callable[..., RowState]) -> None:
    """Airflow parses a file again when the file itself changes, and looks at no other."""
    first, second = (
        render_bucket("Testing", 3, [make_row(revision=revision)]) for revision in (7, 8)
    )
    assert first["dagfoundry_testing_03.py"] != second["dagfoundry_testing_03.py"]
    content = checksum(first["dagfoundry_testing_03.json"])
    assert content.encode() in first["dagfoundry_testing_03.py"]


def test_the_order_of_rows_does_not_matter(make_row: Callable[..., RowState]) -> None:
    """Another host may read them in another order."""
    rows = [make_row(dag_id=f"d{number}") for number in range(5)]
    assert render_bucket("T", 3, rows) == render_bucket("T", 3, reversed(rows))


def test_an_empty_bucket_has_no_file() -> None:
    """A file costs a parse, over and over."""
    assert render_bucket("T", 3, []) == {}


@given(text=st.text(), key=st.text(min_size=1, max_size=20))
def test_a_sidecar_gives_back_its_rows(
    tmp_path_factory: pytest.TempPathFactory, text: str, key: str
) -> None:
    """Any text that the store can hold survives."""
    row = RowState.from_json(
        {
            "kind": "entry",
            "foundry": "T",
            "table_name": "t",
            "platform_name": "P",
            "factory_type": "x",
            "key": key,
            "dag_id": "d",
            "bucket": 0,
            "status": "active",
            "config_json": json.dumps({"text": text}),
            "revision": 1,
            "message": text,
        }
    )
    path = tmp_path_factory.mktemp("sidecar") / "x.json"
    path.write_bytes(render_bucket("T", 0, [row])["dagfoundry_t_00.json"])
    assert [RowState.from_json(values) for values in read_rows(path)] == [row]


@given(dag_ids=st.lists(st.text(min_size=1, max_size=5), min_size=1, unique=True), text=st.text())
def test_one_row_is_found_without_the_others(dag_ids: list[str], text: str) -> None:
    """Whatever the rows hold, also the text that is looked for."""
    rows = [
        RowState.from_json(
            {
                "kind": "entry",
                "foundry": "T",
                "table_name": "t",
                "platform_name": "P",
                "factory_type": "x",
                "key": "k",
                "dag_id": dag_id,
                "bucket": 0,
                "status": "active",
                "config_json": json.dumps({"dag_id": dag_ids[-1], "text": text}),
                "revision": 1,
                "message": f'{text}"dag_id":"{dag_ids[-1]}",',
            }
        )
        for dag_id in dag_ids
    ]
    content = render_bucket("T", 0, rows)["dagfoundry_t_00.json"]
    for row in rows:
        assert find_row(content, row.dag_id) == row.to_json()
    assert find_row(content, "longer than any") is None


def test_an_error_file_raises_its_report(tmp_path: Path) -> None:
    """The report is shown as it is, once."""
    ((name, content),) = render_errors("Testing", {"live__x_probe": REPORT}).items()
    assert name == "dagfoundry_testing_error_live__x_probe.py"
    assert b"Airflow DAG" in content
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RuntimeError) as raised:
        runpy.run_path(str(path))
    assert str(raised.value) == REPORT


def test_error_files_of_strange_dag_ids_do_not_clash() -> None:
    """A hand edit may leave any text as a DAG id."""
    names = {
        error_file("T", dag_id) for dag_id in ("a.b", "a_b", "a/b", "a b", "x" * 250, "x" * 249)
    }
    assert len(names) == 6
    assert all("/" not in name and name.count(".") == 1 and len(name) < 200 for name in names)


def test_thousands_of_errors_make_few_files() -> None:
    """A missing plugin breaks all its entries at once, and each file costs a parse."""
    files = render_errors("T", {f"d{number:04}": f"report {number}" for number in range(1000)})
    assert len(files) == 101
    assert b"900 more DAGs" in files[error_file("T", "...")]


def test_a_version_is_named_after_its_revision_and_content() -> None:
    """Another content is another version, also of the same revision."""
    names = {
        version_name(revision, {"a.py": content}) for revision in (7, 8) for content in ("x", "y")
    }
    assert len(names) == 4
    assert all(name.startswith(("r7-", "r8-")) and len(name) == 15 for name in names)


def test_a_held_row_has_its_old_definition_and_its_new_status(
    make_row: Callable[..., RowState],
) -> None:
    """An entry that is removed drains even when its newest definition is broken."""
    rows = [
        make_row(dag_id="good", revision=9),
        make_row(dag_id="held", revision=9, status=Status.RETIRING, config={"broken": True}),
        make_row(dag_id="never good", revision=9),
        make_row(dag_id="gone", revision=9, status=Status.RETIRED),
    ]
    record = VersionRecord(version="v", revision=9, held={"held": 5, "never good": 0})
    served = {row.dag_id: row for row in served_rows(rows, record, {"held": make_row(revision=5)})}
    assert served.keys() == {"good", make_row().dag_id}
    held = served[make_row().dag_id]
    assert (held.revision, held.status) == (5, Status.RETIRING)


def test_all_files_of_a_version(make_row: Callable[..., RowState]) -> None:
    """Buckets and errors together."""
    rows = [make_row(dag_id="a", bucket=0), make_row(dag_id="b", bucket=1)]
    assert sorted(render("Testing", rows, {"c": "report"})) == [
        "dagfoundry_testing_00.json",
        "dagfoundry_testing_00.py",
        "dagfoundry_testing_01.json",
        "dagfoundry_testing_01.py",
        "dagfoundry_testing_error_c.py",
    ]
