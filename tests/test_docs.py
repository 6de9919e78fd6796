"""The documentation says what the code does."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from dagfoundry.model import load_model
from dagfoundry.plugins import load_plugins

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def generator() -> ModuleType:
    """Import ``docs/generate.py``, which is no package."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["generate"] = module
    spec.loader.exec_module(module)
    return module


PAGES_OF_THE_CODE: dict[str, Any] = generator().PAGES


@pytest.mark.skipif(
    importlib.util.find_spec("dagfoundry_airflow") is not None,
    reason="the page of the command line is that of an installation without dagfoundry-airflow",
)
@pytest.mark.parametrize("name", PAGES_OF_THE_CODE)
def test_reference_page_is_what_the_code_says(name: str) -> None:
    """A page of the reference is written anew after each change (python docs/generate.py)."""
    assert (ROOT / "docs" / "reference" / name).read_text() == PAGES_OF_THE_CODE[name]()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """A relative link names a file that exists."""
    targets = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", page.read_text())
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_model_in_the_docs_is_valid(page: Path, tmp_path: Path) -> None:
    """A YAML block that names a foundry is a model that can be merged."""
    for block in re.findall(r"^```yaml\n(.+?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        if "foundry:" in block:
            (tmp_path / "model.yaml").write_text(block)
            for environment in (None, *yaml.safe_load(block).get("environments", {})):
                model = load_model([tmp_path], load_plugins(), environment=environment)
                assert model.items
        else:
            yaml.safe_load(block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_program_in_the_docs_runs(page: Path) -> None:
    """The Python blocks of a page are one program, in their order."""
    blocks = re.findall(r"^```python\n(.+?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    program = "\n".join(blocks)
    exec(compile(program, str(page), "exec"), {"__name__": page.stem})  # noqa: S102 - that is the test
