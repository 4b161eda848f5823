"""Both sides of the benchmarks in one run → one table. Each job is done by the peers and then by Pellucid, with the same threads.

    python bench/run.py                      all jobs; installs the peers first (several GB)
    python bench/run.py --only mlp           those whose id holds the text
    python bench/run.py --write FILE         the table into this Markdown file, between its marks: those of --table
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
DATA = ROOT / "out" / "bench"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="only jobs whose id holds this text")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=5, help="timed runs after one that is not timed")
    parser.add_argument("--peer-python", help="a Python that has the peers already; no venv is made")
    parser.add_argument("--write", type=Path, help="a Markdown file that takes the table")
    parser.add_argument("--table", default="networks", help="which of the file's tables this is")
    return parser.parse_args()


def peers(args, *command):
    """Runs bench/peers.py, in its own venv or with the Python that was named."""
    how = [args.peer_python, HERE / "peers.py", "--no-venv"] if args.peer_python else [sys.executable, HERE / "peers.py"]
    return subprocess.run([*how, *command], check=True, stdout=subprocess.PIPE, text=True).stdout


def example_of(job):
    """The crate whose example `bench` does this job."""
    return "pellucid-trees" if job["work"].startswith("tree_") else "pellucid-engine"


def build(jobs):
    for crate in sorted({example_of(job) for job in jobs}):
        subprocess.run(["cargo", "build", "--release", "--locked", "-p", crate, "--example", "bench"], check=True, cwd=ROOT)
        folder = ROOT / "target" / "release" / "examples"
        (folder / "bench").replace(folder / f"bench-{crate}")


def own(args, job):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump([job], file)
        file.flush()
        binary = ROOT / "target" / "release" / "examples" / f"bench-{example_of(job)}"
        options = {"--jobs": file.name, "--data": DATA, "--threads": args.threads, "--repeats": args.repeats}
        command = [binary, *(str(part) for option in options.items() for part in option)]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    return json.loads(output)["results"][0]


def run_job(args, job):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump([job], file)
        file.flush()
        command = ["run", "--jobs", file.name, "--threads", str(args.threads), "--repeats", str(args.repeats)]
        theirs = json.loads(peers(args, *command))
    ours = own(args, job)
    print(f"{job['id']}: Pellucid {ours['seconds']['median']:.6f} s", file=sys.stderr, flush=True)
    return {"job": job, "peers": theirs["results"][0], "own": ours, "machine": theirs["machine"], "versions": theirs["versions"]}


def shown(seconds):
    for unit, factor in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def parameters(timing):
    named = [f"{name} {value}" for name, value in timing["parameters"].items() if value not in (None, "contiguous")]
    return f" ({', '.join(named)})" if named else ""


def ratio(result, timing):
    """How many times faster Pellucid is."""
    times = timing["seconds"]["median"] / result["own"]["seconds"]["median"]
    return f"{times:.2f} ×" if times < 10 else f"{times:.0f} ×"


def row(result):
    default, fastest = result["peers"]["default"], result["peers"]["fastest"]
    target = result["job"].get("target")
    cells = [
        result["job"]["id"],
        f"{default['peer']}: {shown(default['seconds']['median'])}{parameters(default)}",
        f"{shown(fastest['seconds']['median'])}{parameters(fastest)}",
        shown(result["own"]["seconds"]["median"]),
        ratio(result, default),
        ratio(result, fastest),
        f"{target} ×" if target else "–",
    ]
    return "| " + " | ".join(cells) + " |"


def rows_of_peers(results):
    """Where several peers do a job, the fastest way of each."""
    several = [result for result in results if len(result["peers"]["of_peers"]) > 1]
    if not several:
        return []
    lines = ["", "Where several peers do the same job, each at its fastest:", "", "| job | peer | time | ratio |", "|---|---|---|---|"]
    for result in several:
        for timing in result["peers"]["of_peers"]:
            cells = [result["job"]["id"], f"{timing['peer']}{parameters(timing)}", shown(timing["seconds"]["median"])]
            lines.append("| " + " | ".join([*cells, ratio(result, timing)]) + " |")
    return lines


def table(args, results):
    machine = results[0]["machine"]
    versions = sorted({f"{name} {version}" for result in results for name, version in result["versions"].items()})
    runtimes = sorted({result["own"]["runtime"] for result in results if result["own"].get("runtime")})
    lines = [
        f"{datetime.date.today()}, {machine['cpu']}, {args.threads} threads, Python {machine['python']}; {', '.join(versions)}.",
        *(f"Pellucid's runtime: {runtime}." for runtime in runtimes),
        f"Medians of at least {args.repeats} runs after a warm-up; a ratio above 1 means that Pellucid is faster.",
        "",
        "| job | peer, as its users write it | peer, its fastest variant | Pellucid | ratio | ratio to the fastest | target |",
        "|---|---|---|---|---|---|---|",
        *map(row, results),
        *rows_of_peers(results),
    ]
    return "\n".join(lines)


def write(path, name, text):
    start, end = f"<!-- table: {name} -->", f"<!-- end of table: {name} -->"
    before, found, rest = path.read_text().partition(start)
    if not found or end not in rest:
        sys.exit(f"{path} holds no {start} and {end}")
    path.write_text(f"{before}{start}\n{text}\n{end}{rest.partition(end)[2]}")


def main():
    args = arguments()
    jobs = [job for job in json.loads((HERE / "jobs.json").read_text()) if args.only in job["id"]]
    if not jobs:
        sys.exit(f"no job's id holds {args.only!r}")
    build(jobs)
    peers(args, "export", "--out", str(DATA), "--only", args.only)
    text = table(args, [run_job(args, job) for job in jobs])
    print(text)
    if args.write:
        write(args.write, args.table, text)


if __name__ == "__main__":
    main()
