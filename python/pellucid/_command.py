"""The console command `pellucid`: the same as the binary."""

import sys

from . import _pellucid, _runtime


def main() -> None:
    """Does what the arguments ask for and exits with the binary's exit codes."""
    _runtime.announce()
    sys.exit(_pellucid.command(["pellucid", *sys.argv[1:]]))
