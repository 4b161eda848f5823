"""What the documentation says of the package holds."""

import importlib
import re

import pytest
from conftest import ROOT

import pellucid


@pytest.mark.parametrize("page", ["README.md", "docs/quickstart.md"])
def test_the_examples_of_a_page_run(page, tmp_path, monkeypatch):
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text(), flags=re.M | re.S)
    assert examples
    names = {}
    for example in examples:
        exec(compile(example, page, "exec"), names)


def promised(package):
    """The classes in the tables of a page about moving over, and what the page says of each."""
    rows = re.findall(r"^\| (.*?) \| (.*?) \|", (ROOT / f"docs/migration/{package}.md").read_text(), flags=re.M)
    for theirs, ours in rows:
        for name in re.findall(r"`(?:shap\.|lime_\w+\.)?([A-Z]\w+)(?=[(`])", theirs):
            yield name, ours.startswith("not yet")


@pytest.mark.parametrize("package", ["shap", "captum", "lime"])
def test_what_is_called_the_same_is_there_and_what_is_not_yet_says_so(package):
    module = importlib.import_module(f"pellucid.{package}")
    names = dict(promised(package))
    assert len(names) > (2 if package == "lime" else 8)
    for name, absent in names.items():
        if not absent:
            assert isinstance(getattr(module, name), type), name
            continue
        with pytest.raises(pellucid.UnsupportedError):
            getattr(module, name)(None, None)
