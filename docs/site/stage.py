"""docs/, the method cards and the examples → a folder that Zensical builds.

    python docs/site/stage.py out/docs-stage

Cards are read where they lie, beside the code of their methods; a new card or notebook needs no change here.
"""

import json
import re
import shutil
import sys
from pathlib import Path

import notebook

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CRATES = {
    "pellucid-explain": "Networks",
    "pellucid-trees": "Trees",
    "pellucid-agnostic": "Any model",
    "pellucid-metrics": "Metrics",
}
# Pages that lie at the root of the repository, where readers of code look for them.
FROM_ROOT = {"ARCHITECTURE.md": "architecture.md", "CHANGELOG.md": "changelog.md"}


def main(stage: Path) -> None:
    shutil.rmtree(stage, ignore_errors=True)
    pages = stage / "pages"
    shutil.copytree(HERE.parent, pages, ignore=shutil.ignore_patterns("site"))
    for name in ["site.css", "favicon.svg"]:
        shutil.copy(HERE / name, pages / name)
    for source, page in FROM_ROOT.items():
        shutil.copy(ROOT / source, pages / page)
    cards = {crate: stage_cards(crate, pages) for crate in CRATES}
    write(pages / "methods/index.md", index_of_cards(cards))
    examples = [notebook.stage(path, pages / "examples") for path in sorted((ROOT / "examples").glob("*.ipynb"))]
    write(stage / "zensical.toml", configuration(cards, examples))


def stage_cards(crate: str, pages: Path) -> list[tuple[str, str, str]]:
    """The pages of a crate's cards: title, claim and path of each."""
    cards = []
    for path in sorted((ROOT / "crates" / crate / "src").rglob("*.md")):
        title, claim, text = page_of_card(path.read_text())
        page = f"methods/{path.stem}.md"
        if (pages / page).exists():
            sys.exit(f"{path.relative_to(ROOT)}: a card named {path.stem} is there already; rename one of them")
        write(pages / page, text)
        cards.append((title, claim, page))
    return cards


def page_of_card(text: str) -> tuple[str, str, str]:
    """Title, claim and page of a card, whose first line is `title: claim`, as the doc of a module is."""
    first, rest = text.split("\n\n", 1)
    title, claim = first.replace("\n", " ").split(": ", 1)
    claim = claim[0].upper() + claim[1:]
    rest = re.sub(r"^```(\w*)\n(.*?)^```$", fence, rest, flags=re.S | re.M)
    # Links into rustdoc mean nothing here; names of other pages become links.
    rest = re.sub(r"\[(`[^`\]]+`)\](?:\([^)]*\))?(?!\()", r"\1", rest)
    rest = re.sub(r"`docs/(\w+)\.md`", r"[\1](../\1.md)", rest)
    return title, claim, f"# {title}\n\n{claim}\n\n{rest}"


def fence(found: re.Match) -> str:
    """A doctest, folded away: it shows the core's own interface, and is what proves the numbers of the card."""
    if found[1] not in ("", "rust"):
        return found[0]
    shown = [line for line in found[2].splitlines() if not re.match(r"#( |$)", line)]
    return "\n".join(["??? example \"The example as a test, in Rust\"", "", "    ```rust", *indented(shown), "    ```", ""])


def indented(lines: list[str]) -> list[str]:
    return [f"    {line}".rstrip() for line in lines]


def index_of_cards(cards: dict) -> str:
    parts = [
        "# Method cards\n\nA card for each method and metric: its idea, its formula and where that comes from, what it"
        " guarantees, when it misleads, and an example with numbers that is run as a test. To find the right one,"
        " see [choosing a method](../choosing.md).\n"
    ]
    for crate, heading in CRATES.items():
        rows = [f"| [{title}]({Path(page).name}) | {claim} |" for title, claim, page in cards[crate]]
        parts.append("\n".join([f"\n## {heading}\n", "| method | gives |", "|---|---|", *rows, ""]))
    return "".join(parts)


def configuration(cards: dict, examples: list[tuple[str, str]]) -> str:
    """zensical.toml with what was found filled in."""
    text = (HERE / "zensical.toml").read_text().replace("EXAMPLES", entries(examples))
    for crate, found in cards.items():
        text = text.replace(f"CARDS {crate}", entries([(title, page) for title, _, page in found]))
    return text


def entries(pages: list[tuple[str, str]]) -> str:
    # A string of JSON is one of TOML too.
    return ", ".join(f"{{ {json.dumps(title)} = {json.dumps(page)} }}" for title, page in pages)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
