"""The notebooks run as they are, and what is stored in them is what they give."""

import json
import re
import sys

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "examples"))

nbclient = pytest.importorskip("nbclient")

NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


def printed(notebook):
    """What each cell prints; where Jupyter cuts it is chance."""
    cells = [cell.get("outputs", []) for cell in notebook["cells"]]
    return ["".join("".join(one["text"]) for one in outputs if one["output_type"] == "stream") for outputs in cells]


def test_there_are_notebooks():
    assert len(NOTEBOOKS) >= 3


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_gives_what_it_shows(path):
    from run import executed

    stored, found = printed(json.loads(path.read_text())), printed(executed(path))
    assert [NUMBER.sub("#", text) for text in found] == [NUMBER.sub("#", text) for text in stored]
    for ours, theirs in zip(found, stored):
        # Other processors round otherwise; what is rounded for a reader may then end one digit off.
        numbers = [[float(number) for number in NUMBER.findall(text)] for text in (ours, theirs)]
        assert numbers[0] == pytest.approx(numbers[1], rel=0.02, abs=0.011)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_small_and_tells_nothing_of_the_machine_it_ran_on(path):
    text = path.read_text()
    assert len(text) <= 600 * 1024
    assert not re.search(r"/(home|root|tmp|work|usr|Users)/", text)
    cells = json.loads(text)["cells"]
    assert all(cell["execution_count"] for cell in cells if cell["cell_type"] == "code"), "run examples/run.py"
