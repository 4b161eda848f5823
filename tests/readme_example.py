"""Runs the README's Python example by the package that is installed, and its command.

    out/test-wheel/venv/bin/python -I tests/readme_example.py
"""

import os
import re
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    examples = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), flags=re.M | re.S)
    assert examples, "README.md has no Python example"
    with tempfile.TemporaryDirectory() as folder:
        # Where its pictures may go; only the files that it names are there.
        (Path(folder) / "fixtures").symlink_to(ROOT / "fixtures")
        os.chdir(folder)
        names = {}
        for example in examples:
            exec(compile(example, "README.md", "exec"), names)
        os.chdir(ROOT)
    import pellucid

    assert Path(pellucid.__file__).is_relative_to(sys.prefix), f"{pellucid.__file__} is not the installed package"
    command = Path(sys.executable).parent / "pellucid"
    told = subprocess.run([command, "--version"], check=True, capture_output=True, text=True).stdout
    assert told.split() == ["pellucid", metadata.version("pellucid")], told
    print(f"{len(examples)} passed: the README's example, by the wheel alone")


if __name__ == "__main__":
    main()
