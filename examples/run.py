"""Runs the notebooks of this folder and stores their outputs.

    python examples/run.py [NOTEBOOK …]
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent


def executed(path: Path) -> nbformat.NotebookNode:
    """The notebook with fresh outputs; a cell that fails is an error."""
    notebook = nbformat.read(path, as_version=4)
    folder = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(notebook, timeout=600, resources=folder, coalesce_streams=True)
    client.execute()
    for cell in notebook.cells:
        # When a cell ran is no output: the file stays the same where nothing changed.
        cell.metadata.pop("execution", None)
    return notebook


def main(paths: list[Path]) -> None:
    for path in paths:
        nbformat.write(executed(path), path)
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]] or sorted(HERE.glob("*.ipynb")))
