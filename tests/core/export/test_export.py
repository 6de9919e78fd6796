"""What an export holds, what it leaves out and why."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from sqlalchemy import MetaData, Table, insert, select, update

from dagfoundry import ExportedItem
from dagfoundry.errors import ExportRefusedError
from dagfoundry.export import Export, export_model
from dagfoundry.merge import Guards, merge, plan_merge
from dagfoundry.model import load_model
from dagfoundry.plugins import Plugins, load_plugins
from dagfoundry.store import Source, Store
from dagfoundry.store.read import read_head, read_revisions
from dagfoundry.store.stored import rows_as_of, stored_rows
from dagfoundry.store.write import Origin

if TYPE_CHECKING:
    from dagfoundry.plan import Plan

MODEL = """\
foundry: Shop
platforms:
  - {name: Live, merge_store: {url_variable: LIVE_URL}}
  - {name: Past, milestoning: forensic, merge_store: {url_variable: PAST_URL}}
stores:
  - name: Sales
    source: {url_variable: SALES_URL}
    ingestion: single
    datasets: [{name: orders, key: [id]}, {name: lines, key: [id, line]}]
  - name: Stock
    platforms: [Live]
    enabled: false
    owner: ops
    source: {driver: postgresql, hostname: db, database: stock, credential: stock_db}
    datasets: [{name: parts, key: ["no"], table: "007"}]
transformers:
  - name: Totals
    inputs: [Sales.orders]
    outputs: [{name: totals, key: [id], sql: "SELECT id FROM orders"}]
"""
STREAMS = "live_airflow_dsg"


@dataclass(frozen=True)
class Bench:
    """A store with the rows of a model."""

    store: Store
    folder: Path

    def load(self, text: str, plugins: Plugins | None = None) -> Any:  # noqa: ANN401 - a LoadedModel
        """Load a model from its text."""
        path = self.folder / "model.yaml"
        path.write_text(text, encoding="utf-8")
        return load_model([path], plugins or load_plugins())

    def merge(self, text: str) -> None:
        """Merge a model."""
        origin = Origin(author="Ada", message="", source=Source.MERGE)
        guards = Guards(allow_prune=True)
        merge(self.store, self.load(text), load_plugins(), origin=origin, guards=guards)

    def export(self, *, at: int | None = None, plugins: Plugins | None = None) -> Export:
        """Export the foundry."""
        plugins = plugins or load_plugins()
        with self.store.reading() as connection:
            head = read_head(connection, "Shop")
            types = [installed.type for installed in plugins.types.values()]
            states = (
                stored_rows(connection, head, types)
                if at is None
                else rows_as_of(connection, head, at)
            )
            (revision,) = read_revisions(connection, head, revision=at or head.revision)
        return export_model(head, states, revision, plugins)

    def plan(self, made: Export) -> Plan:
        """Plan a merge of an export."""
        text = "\n".join(made.files.values())
        return plan_merge(self.store, self.load(text), load_plugins())

    def edit(self, key: str, **changes: object) -> None:
        """Change keys of a stream's config_json by SQL; None takes a key away."""
        with self.store.writing() as connection:
            table = Table(STREAMS, MetaData(), autoload_with=connection)
            is_row = table.c.stream_key == key
            config = json.loads(
                connection.execute(select(table.c.config_json).where(is_row)).scalar_one()
            )
            config = {k: v for k, v in {**config, **changes}.items() if v is not None}
            values = {"config_json": json.dumps(config)}
            connection.execute(update(table).where(is_row).values(values))


@pytest.fixture
def bench(store: Store, tmp_path: Path) -> Bench:
    """A store of each kind with the rows of the model above."""
    made = Bench(store=store, folder=tmp_path)
    made.merge(MODEL)
    return made


def reasons(made: Export) -> dict[tuple[str, str], str]:
    """Return why rows are left out, by platform and key."""
    return {(row.platform, row.key): row.reason for row in made.unexpressed}


def with_type(name: str, **changes: Any) -> Plugins:  # noqa: ANN401 - fields of the type
    """Return the installed plugins with one type changed."""
    plugins = load_plugins()
    installed = plugins.types[name]
    changed = replace(installed, type=replace(installed.type, **changes))
    return replace(plugins, types={**plugins.types, name: changed})


def test_an_export_says_what_the_model_said(bench: Bench) -> None:
    """Joined over platforms, paused ones with enabled: false, defaults left out."""
    made = bench.export()
    assert made.unexpressed == ()
    assert list(made.files) == ["foundry.yaml", "stores.yaml", "transformers.yaml"]
    wanted = yaml.safe_load(MODEL)
    wanted["platforms"][0]["milestoning"] = "live"
    wanted["stores"][0]["datasets"].reverse()
    wanted["stores"][1]["ingestion"] = "multi"
    assert made.values == wanted
    assert bench.plan(made).changes == ()


def test_every_file_says_foundry_revision_and_date(bench: Bench) -> None:
    """Two exports of one revision are the same bytes."""
    made = bench.export()
    for text in made.files.values():
        assert text.startswith("# Foundry Shop at revision 1, made 20")
    assert bench.export().files == made.files


def test_what_left_the_model_is_not_exported(bench: Bench) -> None:
    """Retiring rows are neither items nor missing."""
    bench.merge(MODEL[: MODEL.index("transformers")])
    made = bench.export()
    assert (made.unexpressed, made.items) == ((), 2)
    assert "transformers" not in made.values


def test_an_old_revision_can_be_exported(bench: Bench) -> None:
    """--at gives the rows as they were then."""
    bench.merge(MODEL[: MODEL.index("transformers")])
    made = bench.export(at=1)
    assert (made.unexpressed, made.items, made.revision) == ((), 3, 1)
    assert made.values == bench.export(at=1).values
    assert {c.row.key for c in bench.plan(made).changes} == {"", "Totals"}


def test_the_export_of_edited_rows_is_what_stands_in_the_tables(bench: Bench) -> None:
    """A hand edit that a model can say is in it, so a merge keeps it."""
    bench.edit("Stock", priority=4, schedule_string="@daily")
    made = bench.export()
    assert made.unexpressed == ()
    stock = made.values["stores"][1]
    assert (stock["priority"], stock["schedule"]) == (4, "@daily")
    assert bench.plan(made).changes == ()


@pytest.mark.parametrize("text", ["${team}", "$${team}", "$", "a ${ b", "$$${x}"])
def test_text_that_looks_like_a_variable_stays_text(bench: Bench, text: str) -> None:
    """Written as ``$${``, it is read back as it was."""
    bench.merge(MODEL.replace("owner: ops", f"owner: '{text.replace('${', '$${')}'"))
    made = bench.export()
    assert made.unexpressed == ()
    assert bench.plan(made).changes == ()
    assert made.values["stores"][1]["owner"] == text.replace("${", "$${")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"priority": 9}, "priority: 9 should be less than or equal to 4"),
        ({"dagfoundry": None}, "does not say where the data come from"),
        ({"datasets": []}, "config_json is refused"),
        ({"schedule_string": "None"}, "schedule_string is 'None', a model would make it absent"),
    ],
)
def test_a_row_that_no_model_can_say_is_left_out_with_the_reason(
    bench: Bench, changes: dict[str, object], reason: str
) -> None:
    """The others are written, and a merge of them would only retire that one."""
    bench.edit("Stock", **changes)
    made = bench.export()
    assert list(reasons(made)) == [("Live", "Stock")]
    assert reason in reasons(made)["Live", "Stock"]
    assert [(c.action.value, c.row.key) for c in bench.plan(made).changes] == [("retire", "Stock")]


def test_what_reads_a_row_that_is_left_out_is_left_out_too(bench: Bench) -> None:
    """A model whose inputs nobody writes would be refused."""
    bench.edit("Sales_orders", dagfoundry=None)
    found = reasons(bench.export())
    assert set(found) == {("Live", "Sales_lines"), ("Live", "Sales_orders"), ("Live", "Totals")}
    assert "writes dataset 'Sales#orders'" in found["Live", "Totals"]


def test_platforms_that_differ_keep_only_one_definition(bench: Bench) -> None:
    """A name is unique in a section, so the odd one out is listed."""
    bench.edit("Sales_orders", priority=3)
    bench.edit("Sales_lines", priority=3)
    made = bench.export()
    assert set(reasons(made)) >= {("Past", "Sales_orders")} or set(reasons(made)) >= {
        ("Live", "Sales_orders")
    }
    assert "an item has one definition" in " ".join(reasons(made).values())
    assert len(made.values["stores"][0]["platforms"]) == 1


def test_a_password_in_a_row_is_never_written(bench: Bench) -> None:
    """Neither into a file nor into a reason."""
    url = "postgresql://ada:s3cret@db/x"
    source = {"driver": "postgresql", "hostname": url, "database": "x"}
    stock = {"source": source, "datasets": [{"name": "parts"}]}
    bench.edit("Stock", dagfoundry=stock)
    bench.edit("Sales_orders", note=url)
    made = bench.export()
    assert "URL with a password" in reasons(made)["Live", "Stock"]
    assert "s3cret" not in json.dumps(made.values) + str(made)


def test_rows_of_a_type_that_is_not_installed_are_listed(bench: Bench) -> None:
    """Its factory and its entries, each by name."""
    plugins = load_plugins()
    left = replace(plugins, types={"platform": plugins.types["platform"]})
    found = reasons(bench.export(plugins=left))
    reason = "factory type 'datatransformer' is not installed"
    assert {k: v for k, v in found.items() if k[1]} == {
        ("Live", "Totals"): reason,
        ("Past", "Totals"): reason,
    }


def test_a_type_without_export_is_named_with_its_distribution(bench: Bench) -> None:
    """Its rows are listed, the other types' are written."""
    made = bench.export(plugins=with_type("datatransformer", export=None))
    (reason,) = set(reasons(made).values())
    assert reason.startswith("dagfoundry-datatransformer (installed:")
    assert "has no export" in reason


def fail(_entries: object) -> list[ExportedItem]:
    """Raise, as a plugin with a bug does."""
    msg = "ouch"
    raise RuntimeError(msg)


@pytest.mark.parametrize(
    ("export", "words"),
    [
        (fail, "export raised RuntimeError: ouch"),
        (lambda _entries: [], "export left it out"),
        (lambda _entries: None, "export raised TypeError"),
        (lambda entries: [ExportedItem(keys=(entries[0].key,))], "gave it no name"),
        (
            lambda entries: [
                ExportedItem(keys=(entries[0].key,), values={"name": "X", "y": object()})
            ],
            "cannot be written as text",
        ),
        (
            lambda entries: [ExportedItem(keys=(entries[0].key,), values={"name": "Other"})],
            "outputs",
        ),
    ],
    ids=["raises", "forgets", "nothing", "nameless", "object", "wrong"],
)
def test_a_plugin_with_a_broken_export_harms_only_its_rows(
    bench: Bench,
    export: Any,  # noqa: ANN401 - a wrong function on purpose
    words: str,
) -> None:
    """Whatever it does, the other types' rows are written and its own are listed."""
    made = bench.export(plugins=with_type("datatransformer", export=export))
    assert {key for _, key in reasons(made) if key} == {"Totals"}
    assert words in reasons(made)["Live", "Totals"]
    assert len(made.values["stores"]) == 2


def test_a_reference_row_without_our_keys_is_listed(bench: Bench) -> None:
    """An adopted row says neither source nor key columns."""
    config = {
        "stream_key": "Old", "platform_name": "live", "store_name": "Old", "datasets": ["x"],
        "single_dataset": False, "schedule_string": "None", "priority": 1,
        "merge_db_driver": "postgresql", "merge_db_database": "m",
    }  # fmt: skip
    with bench.store.writing() as connection:
        table = Table(STREAMS, MetaData(), autoload_with=connection)
        row = {"stream_key": "Old", "config_json": json.dumps(config), "status": "active"}
        connection.execute(insert(table).values(row))
    found = reasons(bench.export())
    assert found == {
        ("Live", "Old"): "its row does not say where the data come from (dagfoundry.source)"
    }


def test_a_foundry_without_a_platform_is_refused(bench: Bench) -> None:
    """Without a factory row nothing says where the merge store is."""
    with bench.store.writing() as connection:
        table = Table("shop_factory_dags", MetaData(), autoload_with=connection)
        connection.execute(update(table).values(config_json="{}"))
    with pytest.raises(ExportRefusedError, match="no living factory row"):
        bench.export()


def test_the_quickstarts_export_merges_to_no_change(store: Store, tmp_path: Path) -> None:
    """The example of the README, on both databases."""
    quickstart = Path(__file__).parents[3] / "examples" / "quickstart"
    bench = Bench(store=store, folder=tmp_path)
    texts = [path.read_text() for path in sorted(quickstart.glob("*.yaml"))]
    bench.merge("\n".join(texts).replace("foundry: Quickstart", "foundry: Shop"))
    made = bench.export()
    assert (made.unexpressed, made.items) == ((), 4)
    assert bench.plan(made).changes == ()
