"""What explaining costs predictions: the time of predictions with every one of them explained and with none, in turns → one table; then what was
accepted and is not in the log, under load and after SIGKILL.

    python bench/server.py                   builds `pellucid` with --release
    python bench/server.py --binary FILE     takes this one
"""

import argparse
import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
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
        self.address = address
        self.connection = http.client.HTTPConnection(address, timeout=60)

    def pin(self):
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            # The others explain and record.
            predicts = (task / "comm").read_text().startswith(("predict-", "http"))
            os.sched_setaffinity(int(task.name), {0 if predicts else 1})

    def predict(self, row):
        """The seconds until the answer, and how many rows were taken to be explained."""
        start = time.perf_counter()
        answer = asked(self.connection, [row])
        return time.perf_counter() - start, int(answer["X-Explanations-Queued"])

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait()
        self.connection.close()

    def n_records(self):
        with sqlite3.connect(self.log) as log:
            return log.execute("SELECT count(*) FROM entry WHERE kind = 'record'").fetchone()[0]


def asked(connection, rows):
    """The head of the answer to a request for predictions."""
    body = json.dumps({"instances": rows})
    connection.request("POST", "/v1/models/credit:predict", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    told = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{answer.status}: {told.decode()}")
    return answer.headers


def row(n):
    """Another row each time, so that no explanation is known already."""
    return ROW | {"age": 19 + n % 57, "credit_amount": 250 + n}


def timed(binary, rule, n, beside):
    """The median and the 99th percentile of predictions one after the other, in milliseconds, and what was lost at an orderly end."""
    with tempfile.TemporaryDirectory() as folder, kept_busy(beside):
        server = Server(binary, Path(folder), rule)
        for index in range(50):
            server.predict(row(index + n))
        server.pin()
        taken = [server.predict(row(index)) for index in range(n)]
        server.end(signal.SIGTERM)
        times = sorted(seconds * 1e3 for seconds, _ in taken)
        n_accepted = sum(queued for _, queued in taken) + (50 if rule == "all" else 0)
        return times[n // 2], times[n * 99 // 100], n_accepted, n_accepted - server.n_records()


@contextlib.contextmanager
def kept_busy(is_busy):
    """A loop on the second core that reads and writes nothing: what the machine itself takes from the first core then."""
    loop = "import os; os.sched_setaffinity(0, {1})\nwhile True: pass"
    process = subprocess.Popen([sys.executable, "-c", loop]) if is_busy else None
    try:
        yield
    finally:
        if process:
            process.kill()
            process.wait()


def loaded(binary, n_clients, n_requests, n_rows):
    """Many clients at once: the seconds until all was predicted; rows queued to be explained and not, and of the queued those lost at an orderly end."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(binary, Path(folder), "all")

        def client(number):
            connection = http.client.HTTPConnection(server.address, timeout=60)
            first = number * n_requests * n_rows
            heads = [
                asked(connection, [row(first + request * n_rows + index) for index in range(n_rows)]) for request in range(n_requests)
            ]
            connection.close()
            told = [(int(head["X-Explanations-Queued"]), int(head.get("X-Explanations-Dropped", 0))) for head in heads]
            return [sum(counts) for counts in zip(*told, strict=True)]

        start = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(n_clients) as clients:
            told = list(clients.map(client, range(n_clients)))
        seconds = time.perf_counter() - start
        server.end(signal.SIGTERM)
        n_queued, n_dropped = (sum(counts) for counts in zip(*told, strict=True))
        return seconds, n_queued, n_dropped, n_queued - server.n_records()


def killed(binary, n_kills):
    """SIGKILL while records are written: how often the log verified afterward, and how many rows were accepted and how many are there."""
    n_accepted = n_sound = 0
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(n_kills):
            server = Server(binary, Path(folder), "all")
            n_accepted += sum(server.predict(row(turn * 10_000 + index))[1] for index in range(100 + 70 * turn))
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
    sides = {
        "none is explained": ("none", False),
        "none is explained, a loop runs on the other core": ("none", True),
        "each is explained": ("all", False),
    }
    rounds = [[timed(binary, rule, args.requests, beside) for rule, beside in sides.values()] for _ in range(ROUNDS)]
    print(f"Medians of {ROUNDS} rounds of {args.requests:,} predictions (lowest to highest):\n")
    print("| predictions | median | 99th percentile | accepted | lost |\n|---|---|---|---|---|")
    for side, name in enumerate(sides):
        results = [round_[side] for round_ in rounds]
        p50, p99 = ([result[of] for result in results] for of in (0, 1))
        span = f"{statistics.median(p99):.2f} ms ({min(p99):.2f} to {max(p99):.2f})"
        accepted, lost = (sum(result[of] for result in results) for of in (2, 3))
        print(f"| {name} | {statistics.median(p50):.2f} ms | {span} | {accepted:,} | {lost} |")
    n_clients, n_requests, n_rows = 8, args.requests // 10, 64
    seconds, n_queued, n_dropped, n_lost = loaded(binary, n_clients, n_requests, n_rows)
    per_second = n_clients * n_requests * n_rows / seconds
    print(f"\n{n_clients} clients, {n_requests} requests of {n_rows} rows each: {per_second:,.0f} rows predicted a second; {n_queued:,} queued, ", end="")
    print(f"{n_dropped:,} not, as the queue was full; of the queued {n_lost} lost at an orderly end.")
    n_sound, n_accepted, n_records = killed(binary, args.kills)
    print(f"\nSIGKILL, {args.kills} times: the log verified {n_sound} times; {n_accepted:,} rows accepted, {n_records:,} recorded.")


if __name__ == "__main__":
    main()
