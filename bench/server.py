"""What explaining costs predictions: the time of predictions with every one of them explained and with none, in turns → one table; then what was
accepted and is not in the log, after load and after SIGKILL.

    python bench/server.py                   builds `pellucid` with --release
    python bench/server.py --binary FILE     takes this one
"""

import argparse
import http.client
import json
import os
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "fixtures" / "models" / "german_credit" / "german_credit.txt"
ROW = {"status": "< 0 DM", "duration": 6, "credit_amount": 1169, "age": 67}
ROUNDS = 5


class Server:
    """A server of one model; on the first core what reads, predicts and answers, on the second what explains and records."""

    def __init__(self, binary, folder, rule):
        self.folder, self.log = folder, folder / "log" / "explanations.log"
        models = folder / "models" / "credit"
        models.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(exist_ok=True)
        shutil.copy(MODEL, models)
        (models / "pellucid.toml").write_text(f'[sampling]\nrule = "{rule}"\n')
        command = [binary, "serve", "--models", folder / "models", "--log", self.log, "--port", "0", "--log-level", "error"]
        environment = os.environ | {"HOME": str(folder / "home"), "XDG_DATA_HOME": str(folder / "home")}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        address = re.fullmatch(r"listening at http://(\S+)\n", self.process.stdout.readline()).group(1)
        self.connection = http.client.HTTPConnection(address, timeout=60)

    def pin(self):
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            # The others explain and record.
            predicts = (task / "comm").read_text().startswith(("predict-", "http"))
            os.sched_setaffinity(int(task.name), {0 if predicts else 1})

    def predict(self, row):
        """The seconds until the answer, and how many rows were taken to be explained."""
        start = time.perf_counter()
        body = json.dumps({"instances": [row]})
        self.connection.request("POST", "/v1/models/credit:predict", body, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        answer.read()
        return time.perf_counter() - start, int(answer.headers["X-Explanations-Queued"])

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait()
        self.connection.close()

    def n_records(self):
        with sqlite3.connect(self.log) as log:
            return log.execute("SELECT count(*) FROM entry WHERE kind = 'record'").fetchone()[0]


def row(n):
    """Another row each time, so that no explanation is known already."""
    return ROW | {"age": 19 + n % 57, "credit_amount": 250 + n}


def timed(binary, rule, n):
    """The median and the 99th percentile of predictions one after the other, in milliseconds, and what was lost at an orderly end."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(binary, Path(folder), rule)
        for index in range(50):
            server.predict(row(index + n))
        server.pin()
        taken = [server.predict(row(index)) for index in range(n)]
        server.end(signal.SIGTERM)
        times = sorted(seconds * 1e3 for seconds, _ in taken)
        n_accepted = sum(queued for _, queued in taken) + (50 if rule == "all" else 0)
        return times[n // 2], times[n * 99 // 100], n_accepted, n_accepted - server.n_records()


def killed(binary, n_kills):
    """SIGKILL while records are written: how often the log verified afterward, and how many rows were accepted and how many are there."""
    n_accepted = n_sound = 0
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(n_kills):
            server = Server(binary, Path(folder), "all")
            n_accepted += sum(server.predict(row(turn * 1000 + index))[1] for index in range(20 + 7 * turn))
            server.end(signal.SIGKILL)
            verify = [binary, "log", "verify", server.log]
            n_sound += subprocess.run(verify, cwd=ROOT, stdout=subprocess.DEVNULL).returncode == 0
        return n_sound, n_accepted, server.n_records()


def built():
    subprocess.run(["cargo", "build", "--release", "--locked", "-p", "pellucid-cli"], check=True, cwd=ROOT)
    return ROOT / "target" / "release" / "pellucid"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, help="a `pellucid` that is built already")
    parser.add_argument("--requests", type=int, default=2000, help="predictions of a round")
    parser.add_argument("--kills", type=int, default=20)
    args = parser.parse_args()
    binary = args.binary or built()
    os.sched_setaffinity(0, {0})
    rounds = [(timed(binary, "none", args.requests), timed(binary, "all", args.requests)) for _ in range(ROUNDS)]
    print(f"Medians of {ROUNDS} rounds of {args.requests:,} predictions (lowest to highest):\n")
    print("| predictions | median | 99th percentile | accepted | lost |\n|---|---|---|---|---|")
    for side, name in enumerate(["none is explained", "each is explained"]):
        results = [pair[side] for pair in rounds]
        p50, p99 = ([result[of] for result in results] for of in (0, 1))
        span = f"{statistics.median(p99):.2f} ms ({min(p99):.2f} to {max(p99):.2f})"
        accepted, lost = (sum(result[of] for result in results) for of in (2, 3))
        print(f"| {name} | {statistics.median(p50):.2f} ms | {span} | {accepted:,} | {lost} |")
    n_sound, n_accepted, n_records = killed(binary, args.kills)
    print(f"\nSIGKILL, {args.kills} times: the log verified {n_sound} times; {n_accepted:,} rows accepted, {n_records:,} recorded.")


if __name__ == "__main__":
    main()
