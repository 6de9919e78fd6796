"""Whatever stands in the layers of a model: it is read, or refused with a place."""

from __future__ import annotations

import string
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dagfoundry.errors import ModelInvalidError
from dagfoundry.model import load_model

if TYPE_CHECKING:
    from dagfoundry.plugins import Plugins

NAMES = ["name", "owner", "tags", "source", "url_variable", "region", "mode", "a-b", "${region}"]
BLOCKS = ["foundry", "platforms", "shops", "recipes", "defaults", "variables", "without"]
KEYS = st.sampled_from([*NAMES, *BLOCKS, "environments"])
TEXTS = st.sampled_from(["Live", "Corner", "${region}", "${x}", "$${", "${", "https://a:b@c/"])
SCALARS = st.one_of(TEXTS, st.integers(-9, 9), st.booleans(), st.none())
GARBAGE = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
ENTRIES = st.dictionaries(KEYS, GARBAGE, max_size=3)
MODELS = st.fixed_dictionaries(
    {
        "foundry": st.just("Quickstart"),
        "platforms": st.just([{"name": "Live", "merge_store": {"url_variable": "M"}}])
        | st.builds(
            lambda defaults: [
                {"name": "Live", "merge_store": {"url_variable": "M"}, "defaults": defaults},
                {"name": "Slow", "merge_store": {"url_variable": "M"}},
            ],
            ENTRIES | GARBAGE,
        ),
        "shops": st.just([{"name": "Corner", "source": {"url_variable": "S"}}]) | GARBAGE,
    },
    optional={
        "defaults": ENTRIES | GARBAGE,
        "variables": st.dictionaries(KEYS, SCALARS, max_size=3) | GARBAGE,
        "environments": st.fixed_dictionaries({"dev": ENTRIES | GARBAGE}) | GARBAGE,
    },
)


@settings(deadline=None, max_examples=300)
@given(
    model=MODELS,
    environment=st.sampled_from([None, "dev"]),
    variables=st.dictionaries(
        st.sampled_from(["DAGFOUNDRY_VAR_REGION", "DAGFOUNDRY_VAR_X"]),
        st.text(string.ascii_letters, max_size=4),
    ),
)
def test_every_model_is_read_or_refused_with_findings(
    model: dict[str, Any], environment: str | None, variables: dict[str, str], types: Plugins
) -> None:
    """Nothing but findings comes out of a wrong model, and each names place and remedy."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "model.yaml")
        file.write_text(yaml.safe_dump(model))
        try:
            load_model([file], types, environment=environment, variables=variables)
        except ModelInvalidError as error:
            findings = error.findings
        else:
            return
    assert findings
    for finding in findings:
        assert finding.remedy
        assert finding.place or "DAGFOUNDRY_VAR" in finding.what or "no env" in finding.what
        assert "a:b@" not in str(finding)
