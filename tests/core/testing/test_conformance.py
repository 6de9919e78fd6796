"""A plugin that breaks one rule fails the one check that is about it, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from unittest import SkipTest

import pytest
from altered_plugin import OLD, AlteredPlugin

from dagfoundry.errors import FactoryTypeMissingError, NotConformingError
from dagfoundry.testing import conformance_suite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OWNER: Final = "factory type 'alarm' of dagfoundry-alarm 1.0: "
IMPORTS: Final = "import dagfoundry\n"
WITHOUT_AIRFLOW: Final = (
    "test_plugin_loads",
    "test_import_needs_no_airflow",
    "test_import_does_no_io",
    "test_import_stays_within_budget",
    "test_schema_takes_examples",
    "test_examples_make_entries",
    "test_errors_are_located",
    "test_export_inverts_draft",
)

BROKEN: Final = {
    "a second record that is none": (
        "test_plugin_loads",
        (
            "export=export,\n            examples=EXAMPLES,\n        )",
            "examples=EXAMPLES,\n        ), 3",
        ),
        ["fails to load in part", "dagfoundry plugins"],
    ),
    "no example": (
        "test_examples_make_entries",
        ("            examples=EXAMPLES,\n", ""),
        ["has no examples", "FactoryType.examples"],
    ),
    "an example that is no JSON": (
        "test_examples_make_entries",
        ('"minutes": 5}', '"minutes": {5}}'),
        ["example 1 is not made of JSON values", "set"],
    ),
    "an example that a model refuses": (
        "test_examples_make_entries",
        ('"minutes": 90', '"minuets": 90'),
        ["example 2 ('Evening') is refused", "alarms[0].minuets"],
    ),
    "an example without an entry": (
        "test_examples_make_entries",
        ("consumes=consumes)]", "consumes=consumes)] * (item.minutes > 5)"),
        ["example 1 ('Morning') makes no entry", "draft"],
    ),
    "a JSON Schema that is none": (
        "test_schema_takes_examples",
        ("Field(ge=0)", 'Field(ge=0, json_schema_extra={"type": "number of minutes"})'),
        ["JSON Schema of its items is wrong", "number of minutes"],
    ),
    "a JSON Schema that refuses an example": (
        "test_schema_takes_examples",
        (
            'sound: str = "bell"',
            'sound: Annotated[str, Field(json_schema_extra={"type": "array"})] = "bell"',
        ),
        ["refuses example 2 ('Evening')", "sound"],
    ),
    "a draft that looks up what may be absent": (
        "test_errors_are_located",
        ('"sound": item.sound}', '"sound": {"bell": "bell", "gong": "gong"}[item.sound]}'),
        ["sound as 'unexpected'", "its draft raised KeyError"],
    ),
    "a validator that compares what it got": (
        "test_errors_are_located",
        ("Annotated[int, Field(ge=0)]", "Annotated[int, BeforeValidator(lambda given: given + 0)]"),
        ["minutes as", "its item raised TypeError"],
    ),
    "a config whose validator fails": (
        "test_errors_are_located",
        (
            "    key: str\n",
            "    key: Annotated[str, AfterValidator(lambda key: {'Morning': key}[key])]\n",
        ),
        ["its config raised KeyError"],
    ),
    "an export that forgets a key": (
        "test_export_inverts_draft",
        ('        "sound": entry.config["sound"],\n', ""),
        ["example 2 ('Evening')", "sound is 'gong', a model would make it 'bell'"],
    ),
    "an upcaster that needs what a row may not have": (
        "test_upcasters_are_total",
        ('config.pop("minutes") * 60', 'config["dagfoundry"]["minutes"] * 60'),
        ["version 1", "KeyError: 'dagfoundry'"],
    ),
    "an upcaster that makes another config each time": (
        "test_upcasters_are_total",
        ('config.pop("minutes") * 60', 'config.pop("minutes") * 60 + len(SEEN); SEEN.append(1)'),
        ["a config of version 1 becomes", "and then"],
    ),
    "an upcaster that makes what the model refuses": (
        "test_upcasters_are_total",
        ('config["seconds"] = ', 'config["second"] = '),
        ["version 1", "its model refuses", "seconds"],
    ),
}
NAMES: Final = "from pydantic import BaseModel, ConfigDict, Field\n"
MORE_NAMES: Final = (
    f"from pydantic import AfterValidator, BeforeValidator\n{NAMES}SEEN: list[int] = []\n"
)

DEEDS: Final = {
    "file": ('pathlib.Path("/etc/hosts").read_text()', "opens the file '/etc/hosts'"),
    "folder": ('os.listdir("/etc")', "lists the folder '/etc'"),
    "socket": ("socket.socket().close()", "opens a socket"),
    "process": ('subprocess.run(["true"])', "starts the process 'true'"),
    "variable": ('os.environ["ALARM"] = "on"', "sets the environment variable 'ALARM'"),
}


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AlteredPlugin]:
    """The plugin ``alarm``, which no other test sees."""
    altered = AlteredPlugin(tmp_path, monkeypatch)
    yield altered
    altered.uninstall()


def refusal(plugin: AlteredPlugin, test: str, **replaced: str) -> str:
    """Return what one test of the suite says of the plugin with texts replaced."""
    suite = plugin.suite(**replaced)
    with pytest.raises(NotConformingError) as caught:
        getattr(suite, test)()
    text = str(caught.value)
    assert text.startswith(OWNER)
    assert isinstance(caught.value, AssertionError)
    assert caught.value.remedy
    return text


@pytest.mark.parametrize("test", WITHOUT_AIRFLOW)
def test_a_plugin_that_keeps_the_rules_passes(plugin: AlteredPlugin, test: str) -> None:
    """What needs no Airflow is checked without one."""
    getattr(plugin.suite(), test)()


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_is_named(plugin: AlteredPlugin, case: str) -> None:
    """The error says whose type it is, what is wrong and where."""
    test, (before, after), words = BROKEN[case]
    plugin.file.write_text(plugin.file.read_text().replace(NAMES, MORE_NAMES))
    text = refusal(plugin, test, before=before, after=after)
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize("deed", DEEDS)
def test_what_an_import_touches_is_named(plugin: AlteredPlugin, deed: str) -> None:
    """The error names the file and line of the plugin."""
    code, said = DEEDS[deed]
    after = f"{IMPORTS}import os, pathlib, socket, subprocess\n{code}\n"
    text = refusal(plugin, "test_import_does_no_io", before=IMPORTS, after=after)
    assert f"{said} ({plugin.line_of(code)})" in text


def test_a_library_that_reads_a_file_is_not_the_plugins_deed(plugin: AlteredPlugin) -> None:
    """What others do when they are imported is not the author's to mend."""
    library = plugin.folder / "reading_library.py"
    library.write_text("import os\nopen(__file__).close()\nos.environ['LIBRARY'] = 'read'\n")
    suite = plugin.suite(before=IMPORTS, after=f"{IMPORTS}import reading_library\n")
    suite.test_import_does_no_io()


def test_a_function_of_a_library_is_the_deed_of_its_caller(plugin: AlteredPlugin) -> None:
    """The plugin's own line asked for it."""
    (plugin.folder / "reading_library.py").write_text("def read():\n    open(__file__).close()\n")
    after = f"{IMPORTS}import reading_library\nreading_library.read()\n"
    text = refusal(plugin, "test_import_does_no_io", before=IMPORTS, after=after)
    assert plugin.line_of("reading_library.read()") in text


def test_an_import_of_airflow_is_named(plugin: AlteredPlugin) -> None:
    """It counts where Airflow is not installed, too."""
    code = "    import airflow.models"
    after = f"{IMPORTS}try:\n{code}\nexcept ImportError:\n    pass\n"
    text = refusal(plugin, "test_import_needs_no_airflow", before=IMPORTS, after=after)
    assert "imports airflow" in text
    assert plugin.line_of(code) in text


def test_a_slow_import_is_named_with_its_figures(plugin: AlteredPlugin) -> None:
    """CPU time counts, and a wait does not."""
    busy = "import time\nend = time.process_time() + 0.5\nwhile time.process_time() < end: pass\n"
    text = refusal(plugin, "test_import_stays_within_budget", before=IMPORTS, after=IMPORTS + busy)
    assert "its budget is 200 ms" in text


def test_an_import_that_waits_is_within_its_budget(plugin: AlteredPlugin) -> None:
    """A busy machine fails nobody's test."""
    slept = f"{IMPORTS}import time\ntime.sleep(0.3)\n"
    plugin.suite(before=IMPORTS, after=slept).test_import_stays_within_budget()


def test_a_budget_is_the_authors_to_set(plugin: AlteredPlugin) -> None:
    """No import takes no time."""
    plugin.suite()
    suite = conformance_suite("alarm", old_configs=OLD, import_budget_ms=0)()
    with pytest.raises(NotConformingError, match="its budget is 0 ms"):
        suite.test_import_stays_within_budget()


def test_an_older_version_without_a_config_is_named(plugin: AlteredPlugin) -> None:
    """The suite cannot guess what old rows look like."""
    plugin.suite()
    with pytest.raises(NotConformingError, match=r"version 1 looks like\n  Pass old_configs={1: "):
        conformance_suite("alarm")().test_upcasters_are_total()


def test_a_type_that_is_not_installed_is_named() -> None:
    """A suite of nothing is no success."""
    suite = conformance_suite("nowhere")()
    with pytest.raises(FactoryTypeMissingError, match="'nowhere' is not installed"):
        suite.test_plugin_loads()


@pytest.mark.parametrize(
    ("test", "line"),
    [
        ("test_export_inverts_draft", "            export=export,\n"),
        (
            "test_upcasters_are_total",
            "            config_version=2,\n            upcasters={1: minutes_to_seconds},\n",
        ),
    ],
)
def test_what_a_type_has_not_is_skipped_with_a_reason(
    plugin: AlteredPlugin, test: str, line: str
) -> None:
    """A check of nothing is no success either."""
    suite = plugin.suite(before=line, after="")
    with pytest.raises(SkipTest, match=r"factory type 'alarm' has (no export|one config)"):
        getattr(suite, test)()


def test_the_class_is_named_after_the_type() -> None:
    """Whatever name it is bound to, a report says what it is about."""
    assert conformance_suite("data_feed").__name__ == "TestDataFeed"
