"""An executed notebook → a page with its outputs."""

import base64
import json
from pathlib import Path

IMAGES = {"image/svg+xml": "svg", "image/png": "png"}


def stage(path: Path, folder: Path) -> tuple[str, str]:
    """Writes the page of a notebook, and its pictures beside it; gives title and path."""
    folder.mkdir(parents=True, exist_ok=True)
    cells = json.loads(path.read_text())["cells"]
    parts = []
    for place, cell in enumerate(cells):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        for number, output in enumerate(cell["outputs"]):
            parts.append(shown(output, folder, f"{path.stem}-{place}-{number}"))
    parts.append(f"*This page is the notebook `examples/{path.name}`, as it ran.*")
    (folder / f"{path.stem}.md").write_text("\n\n".join(parts) + "\n")
    return title(cells[0]), f"examples/{path.stem}.md"


def title(cell: dict) -> str:
    return "".join(cell["source"]).splitlines()[0].removeprefix("# ")


def shown(output: dict, folder: Path, name: str) -> str:
    """An output as Markdown: the richest of its forms."""
    if output["output_type"] == "stream":
        return block(f"<pre>{escaped(''.join(output['text']))}</pre>")
    forms = {kind: "".join(text) for kind, text in output["data"].items() if isinstance(text, (str, list))}
    for kind, ending in IMAGES.items():
        if kind in forms:
            data = forms[kind].encode() if ending == "svg" else base64.b64decode(forms[kind])
            (folder / f"{name}.{ending}").write_bytes(data)
            return block(f'<img src="{name}.{ending}" alt="{escaped(forms.get("text/plain", "picture"))}">')
    if "text/html" in forms:
        return block(forms["text/html"])
    return block(f"<pre>{escaped(forms['text/plain'])}</pre>")


def block(html: str) -> str:
    return f'<div class="output">\n{html}\n</div>'


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
