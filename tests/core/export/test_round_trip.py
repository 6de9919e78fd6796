"""Whatever a model says, its rows export to a model that merges to no change."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dagfoundry.connections import parse_url
from dagfoundry.export import Export, export_model
from dagfoundry.merge import Guards, merge, plan_merge
from dagfoundry.model import load_model
from dagfoundry.plugins import load_plugins
from dagfoundry.store import Source, Store, open_store
from dagfoundry.store.read import read_head, read_revisions
from dagfoundry.store.stored import stored_rows
from dagfoundry.store.write import Origin

PLATFORMS = ("Live", "Forensic", "Third-1")

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
texts |= st.sampled_from(["no", "007", "1e5", "a: b", " x ", "two\nlines", "tab\tbed"])
columns = st.lists(texts, min_size=1, max_size=3, unique_by=lambda text: text.lower())
databases = st.fixed_dictionaries({"url_variable": st.sampled_from(["A_URL", "B_URL"])})
databases |= st.fixed_dictionaries(
    {"driver": st.just("postgresql"), "database": texts},
    optional={
        "hostname": texts,
        "port": st.integers(1, 65535),
        "credential": st.just("orders_db"),
    },
)
SHARED: dict[str, st.SearchStrategy[Any]] = {
    "platforms": st.lists(st.sampled_from(PLATFORMS[:1]), min_size=1, max_size=1),
    "enabled": st.booleans(),
    "owner": texts,
    "tags": st.lists(texts, max_size=3),
    "retries": st.integers(0, 100),
    "retry_delay": st.integers(1, 86_400),
    "pool": texts,
    "priority": st.integers(0, 4),
    "schedule": st.sampled_from(["@daily", "*/5 * * * *", "0 6 * * 1"]),
}
datasets = st.fixed_dictionaries({}, optional={"key": columns, "table": texts})
limits = st.fixed_dictionaries(
    {}, optional={"requested_memory": st.just("512M"), "limits_cpu": st.just("1")}
)
stores = st.fixed_dictionaries(
    {"source": databases, "datasets": st.lists(datasets, min_size=1, max_size=3)},
    optional={
        **SHARED,
        "source_schema": texts,
        "ingestion": st.sampled_from(["single", "multi"]),
        "job_limits": limits,
    },
)
outputs = st.fixed_dictionaries({"key": columns})
statements = st.sampled_from(["SELECT 1 AS id", "select *\n  from x\n where a = 'no: #'\n"])


@st.composite
def transformers(draw: st.DrawFn, known: list[str]) -> dict[str, Any]:
    """Draw a transformer that reads some of the datasets."""
    made: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {"outputs": st.lists(outputs, min_size=1, max_size=2)},
            optional={**SHARED, "output_store": st.just("Made")},
        )
    )
    inputs = draw(st.lists(st.sampled_from(known), unique=True, max_size=3)) if known else []
    made["inputs"] = draw(st.sampled_from([inputs, {f"i{n}": d for n, d in enumerate(inputs)}]))
    if draw(st.booleans()):
        made["python"] = "delay_report"
    for number, output in enumerate(made["outputs"]):
        output["name"] = f"o{number}"
        if "python" not in made:
            output["sql"] = draw(statements)
    return made


@st.composite
def models(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a model of the built-in factory types."""
    names = PLATFORMS[: draw(st.integers(1, 3))]
    platform = st.fixed_dictionaries(
        {"merge_store": databases},
        optional={"milestoning": st.sampled_from(["live", "forensic"])},
    )
    own = st.fixed_dictionaries(
        {},
        optional={
            "buckets": st.integers(1, 64),
            "git": st.fixed_dictionaries(
                {"repo_url": st.just("https://github.com/o/r")},
                optional={"branch": texts, "credential": st.just("git")},
            ),
            "kubernetes": st.fixed_dictionaries(
                {"namespace": st.just("ns-1")}, optional={"image": texts, "storage_class": texts}
            ),
        },
    )
    drawn = draw(st.lists(stores, max_size=4))
    named = [{"name": f"S{n}", **store} for n, store in enumerate(drawn)]
    for store in named:
        names_of = (f"d{n}of{store['name']}" for n in range(9))
        store["datasets"] = [{"name": next(names_of), **d} for d in store["datasets"]]
    everywhere = [
        f"{s['name']}.{d['name']}" for s in named if "platforms" not in s for d in s["datasets"]
    ]
    makers = draw(st.lists(transformers(everywhere), max_size=2))
    if makers and sum("output_store" in maker for maker in makers) > 1:
        makers = makers[:1]
    return {
        "foundry": "Round",
        "platforms": [{"name": name, **draw(platform)} for name in names],
        **draw(own),
        "stores": named,
        "transformers": [{"name": f"T{n}", **maker} for n, maker in enumerate(makers)],
    }


def exported(store: Store) -> Export:
    """Export the one foundry of a store."""
    plugins = load_plugins()
    with store.reading() as connection:
        head = read_head(connection, "Round")
        states = stored_rows(connection, head, [t.type for t in plugins.types.values()])
        (revision,) = read_revisions(connection, head, revision=head.revision)
    return export_model(head, states, revision, plugins)


@settings(max_examples=40, deadline=None)
@given(model=models())
def test_the_export_of_any_model_merges_to_no_change(model: dict[str, Any]) -> None:
    """Model, merge, export, load, plan: nothing to do, and exporting again gives the same."""
    if not (model["stores"] or model["transformers"]):
        return
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "model.yaml").write_text(json.dumps(model, ensure_ascii=False), encoding="utf-8")
        store = open_store(parse_url(f"sqlite:///{home}/store.db", "the test"), timeout_seconds=60)
        origin = Origin(author="Ada", message="", source=Source.MERGE)
        loaded = load_model([home / "model.yaml"], load_plugins())
        merge(store, loaded, load_plugins(), origin=origin, guards=Guards())
        made = exported(store)
        assert made.unexpressed == ()
        (home / "again").mkdir()
        for name, text in made.files.items():
            (home / "again" / name).write_text(text, encoding="utf-8")
        again = load_model([home / "again"], load_plugins())
        assert plan_merge(store, again, load_plugins()).changes == ()
        assert {(i.section, i.item.name) for i in again.items} == {
            (i.section, i.item.name) for i in loaded.items
        }
