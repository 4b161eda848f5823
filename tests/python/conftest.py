"""What the tests of the package share."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The build that `make test` makes.
PELLUCID = ROOT / "target" / "debug" / "pellucid"


@pytest.fixture(autouse=True)
def in_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="session")
def cli():
    def run(*arguments):
        done = subprocess.run([PELLUCID, *map(str, arguments)], check=True, capture_output=True, text=True)
        return done.stdout

    return run
