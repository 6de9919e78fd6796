"""A reference deployment's database on each kind of database, made from one SQL script."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from dagfoundry.adopt import adopt
from dagfoundry.merge import Guards, merge
from dagfoundry.model import load_model
from dagfoundry.plugins import load_plugins
from dagfoundry.store import Source, Store
from dagfoundry.store.engine import writing
from dagfoundry.store.write import Origin

if TYPE_CHECKING:
    from dagfoundry.adopt import Adoption
    from dagfoundry.merge import MergeResult

SCRIPT = Path(__file__).parent / "reference.sql"
TABLES = (
    "test_dp_factory_dags",
    "yellowlive_airflow_dsg",
    "yellowlive_airflow_datatransformer",
    "yellowforensic_airflow_dsg",
    "yellowforensic_airflow_datatransformer",
)
DAG_IDS = (
    "test-dp_infrastructure",
    "yellowforensic__Store1_ingestion",
    "yellowforensic_datatransformer_factory",
    "yellowforensic_factory_dag",
    "yellowlive__AggWS_datatransformer",
    "yellowlive__BareStore_ingestion",
    "yellowlive__BlankStore_ingestion",
    "yellowlive__ExtStore_ingestion",
    "yellowlive__MaskedStoreGenerator_datatransformer",
    "yellowlive__NullStore_ingestion",
    "yellowlive__Store1_ingestion",
    "yellowlive__Store2_orders_ingestion",
    "yellowlive_datatransformer_factory",
    "yellowlive_factory_dag",
)

MODEL = """\
foundry: Test_DP
platforms:
  - name: YellowLive
    merge_store: {url_variable: MERGE_URL}
  - name: YellowForensic
    merge_store: {url_variable: MERGE_URL}
    milestoning: forensic
stores:
  - name: Store1
    source: {url_variable: SHOP_URL}
    schedule: "* * * * *"
    datasets: [{name: customers}, {name: addresses}]
  - name: Store2
    source: {url_variable: SHOP_URL}
    ingestion: single
    platforms: [YellowLive]
    datasets: [{name: orders}]
"""
"""A model of the same foundry, with some of its entries."""


@dataclass(frozen=True)
class Deployment:
    """A reference deployment's database."""

    store: Store
    dag_ids: tuple[str, ...] = DAG_IDS
    """What the reference system would show in Airflow for these tables."""

    def execute(self, *statements: str) -> None:
        """Run SQL as a person would."""
        with writing(self.store.engine) as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every column of every row as it is stored."""
        with self.store.reading() as connection:
            return {
                table: sorted(
                    map(tuple, connection.exec_driver_sql(f"SELECT * FROM {table}"))  # noqa: S608 - names of this file
                )
                for table in TABLES
            }

    def config(self, table: str, key: str) -> dict[str, Any]:
        """Return a row's parsed config."""
        (text,) = [row[-4] for row in self.rows()[table] if key in row]
        return dict(json.loads(text))

    def copy_stream(self, key: str, config: dict[str, Any] | str) -> None:
        """Add a stream to YellowLive."""
        text = config if isinstance(config, str) else json.dumps(config)
        statement = "INSERT INTO yellowlive_airflow_dsg VALUES (:k, :c, 'active', NULL, NULL)"
        with writing(self.store.engine) as connection:
            connection.execute(sa.text(statement), {"k": key, "c": text})

    def adopt(self, foundry: str = "Test_DP") -> Adoption:
        """Adopt a foundry."""
        origin = Origin(author="Ada", message="taken over", source=Source.ADOPT)
        return adopt(self.store, foundry, load_plugins(), origin=origin, buckets=8)

    def merge(self, model: Path, *, allow_prune: bool = True) -> MergeResult:
        """Merge a model, by default whatever it retires."""
        origin = Origin(author="Ada", message="", source=Source.MERGE)
        loaded = load_model([model], load_plugins())
        guards = Guards(allow_prune=allow_prune)
        return merge(self.store, loaded, load_plugins(), origin=origin, guards=guards)

    def list_dag_ids(self) -> tuple[str, ...]:
        """Return the DAG ids that Airflow is given."""
        head = self.store.head("Test_DP")
        rows = self.store.rows_at("Test_DP", head.revision)
        return tuple(row.dag_id for row in rows)


@pytest.fixture
def deployment(store: Store) -> Deployment:
    """The database of PSP Test_DP."""
    made = Deployment(store=store)
    made.execute(*SCRIPT.read_text(encoding="utf-8").rstrip().removesuffix(";").split(";\n"))
    return made


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model of the deployment's foundry."""
    path = tmp_path / "model.yaml"
    path.write_text(MODEL, encoding="utf-8")
    return path
