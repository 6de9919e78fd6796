"""The command that shows what is installed, and what is wrong with it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dagfoundry.cli.options import AsJson  # noqa: TC001 - typer reads the annotation
from dagfoundry.cli.output import print_json, print_line, print_table
from dagfoundry.plugins import load_plugins

if TYPE_CHECKING:
    from dagfoundry.plugins import LoadedPlugin, Plugins


def plugins(*, as_json: AsJson = False) -> int:
    """Show the installed factory types and the plugins that failed; exits with 1 then."""
    loaded = load_plugins()
    if as_json:
        failures = [asdict(failure) for failure in loaded.failures]
        each = [_plugin(plugin) for plugin in loaded.loaded]
        print_json({"types": _types(loaded), "plugins": each, "failures": failures})
    else:
        columns = ("factory type", "section", "distribution", "version", "summary")
        print_table(columns, [tuple(row.values()) for row in _types(loaded)])
        for failure in loaded.failures:
            owner = f"{failure.distribution} {failure.version} ({failure.entry_point})"
            print_line(f"failed: {owner}: {failure.error}")
    return 1 if loaded.failures else 0


def _types(plugins: Plugins) -> list[dict[str, str]]:
    return [
        {
            "factory_type": name,
            "section": installed.type.section,
            "distribution": installed.distribution,
            "version": installed.version,
            "summary": installed.type.summary,
        }
        for name, installed in plugins.types.items()
    ]


def _plugin(plugin: LoadedPlugin) -> dict[str, Any]:
    return {
        "distribution": plugin.distribution,
        "version": plugin.version,
        "entry_point": plugin.entry_point,
        "observes": sorted(plugin.observes),
        "import_seconds": round(plugin.seconds, 3),
        "import_megabytes": round(plugin.megabytes, 1),
    }


COMMANDS = {"plugins": plugins}
