"""The tools of `make docs`: cards become pages, and a fault in a built page is found."""

import sys

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "docs/site"))

import check  # noqa: E402
import stage  # noqa: E402

CARD = """Saliency: how much the output reacts
to each feature.

**Formula.** See [`Options::patch`] and `docs/ties.md`.

```text
A = B
```

```
# use hidden;
let a = 1;
```
"""


def test_a_card_becomes_a_page():
    title, claim, page = stage.page_of_card(CARD)
    assert (title, claim) == ("Saliency", "How much the output reacts to each feature.")
    assert page.startswith("# Saliency\n\nHow much")
    assert "See `Options::patch` and [ties](../ties.md)." in page
    assert "```text\nA = B\n```" in page
    assert "hidden" not in page
    assert '??? example "The example as a test, in Rust"\n\n    ```rust\n    let a = 1;\n    ```' in page


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        ('<a href="other.html#place">', None),
        ('<a href="https://host/page">', None),
        ('<a href="nowhere.html">', "nowhere.html leads nowhere"),
        ('<a href="../other.html">', "../other.html leads nowhere"),
        ('<a href="other.html#elsewhere">', "other.html#elsewhere: no such place on that page"),
        ('<script src="https://host/script.js">', "https://host/script.js is fetched from another host"),
        ('<img src="missing.png">', "missing.png leads nowhere"),
    ],
)
def test_a_fault_of_a_built_page_is_found(link, fault, tmp_path, capsys):
    (tmp_path / "index.html").write_text(link)
    (tmp_path / "other.html").write_text('<h1 id="place">')
    assert check.main(tmp_path) == (fault is not None)
    assert capsys.readouterr().out.strip() == (f"index.html: {fault}" if fault else "2 pages, 1 links hold")
