"""The peers' side of the benchmarks: jobs in (JSON), seconds out (JSON). The other side is Pellucid's own bench runner.

    python bench/peers.py export --out out/bench          what the jobs work on: networks as ONNX, tree models, their rows
    python bench/peers.py run --threads 2                 all jobs of bench/jobs.json
    python bench/peers.py run --jobs FILE|- --only TEXT   other jobs; those whose id holds TEXT
    python bench/peers.py --no-venv run …                 with the Python that runs this file, not .venv-bench

Progress goes to standard error, so that standard output is one JSON document.
"""

import argparse
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
VENV = ROOT / ".venv-bench"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-venv", action="store_true", help="use the Python that runs this file")
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export", help="write the networks and tree models of the jobs, with rows to explain")
    export.add_argument("--out", type=Path, default=ROOT / "out" / "bench")
    run = commands.add_parser("run", help="time the jobs and print JSON")
    for command in (export, run):
        command.add_argument("--jobs", default=str(HERE / "jobs.json"), help="a JSON list of jobs; - for standard input")
        command.add_argument("--only", default="", help="only jobs whose id holds this text")
    run.add_argument("--threads", type=int, default=os.cpu_count())
    run.add_argument("--repeats", type=int, default=5, help="timed runs of a variant, after one that is not timed")
    return parser.parse_args()


def venv_python():
    """The venv's Python; the venv is made, with the pinned packages, if it is not there."""
    python = VENV / "bin" / "python"
    if not (VENV / "complete").exists():
        venv.create(VENV, with_pip=True, clear=True)
        install = [python, "-m", "pip", "install", "--quiet", "-r", HERE / "requirements.txt"]
        subprocess.run(install, check=True, stdout=sys.stderr)
        (VENV / "complete").touch()
    return python


def jobs_of(args):
    text = sys.stdin.read() if args.jobs == "-" else Path(args.jobs).read_text()
    return [job for job in json.loads(text) if args.only in job["id"]]


def run(args):
    from peer.jobs import run_all

    print(json.dumps(run_all(jobs_of(args), args.threads, args.repeats), indent=1))


def export(args):
    from peer.export import export_all

    export_all(args.out, jobs_of(args))


def main():
    args = arguments()
    if not args.no_venv:
        python = venv_python()
        os.execv(python, [str(python), __file__, "--no-venv", *sys.argv[1:]])
    {"run": run, "export": export}[args.command](args)


if __name__ == "__main__":
    main()
