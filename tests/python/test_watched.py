"""Long work can be stopped, is shown, and lets other threads run; short work is not held up."""

import multiprocessing
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import pellucid

ADULT = "fixtures/trees/demo/adult.txt"

# Enough rows to take longer than any test.
LONG = f"""
import numpy as np, pellucid
model = pellucid.load({ADULT!r})
print("begins", flush=True)
pellucid.explain(model, np.zeros((3_000_000, 13)), interactions=True)
"""


def started(code):
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begins\n"
    time.sleep(0.5)
    return process


def test_control_c_stops_long_work():
    process = started(LONG)
    process.send_signal(signal.SIGINT)
    # It ends long before the work would, with Python's own exception.
    _, error = process.communicate(timeout=30)
    assert "KeyboardInterrupt" in error and process.returncode != 0


def test_other_threads_run_meanwhile():
    counted, running = [0], [True]

    def count():
        while running[0]:
            counted[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    pellucid.explain(ADULT, np.zeros((20_000, 13)))
    running[0] = False
    thread.join()
    assert counted[0] > 5


def _explained(_):
    return pellucid.explain(ADULT, np.zeros((300, 13)), threads=None).values.sum()


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="there is no fork")
def test_a_forked_process_explains_too():
    expected = _explained(0)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(_explained, range(4)).get(timeout=60) == [expected] * 4


def test_threads_change_nothing():
    rows = np.random.default_rng(0).standard_normal((500, 13))
    one = pellucid.explain(ADULT, rows, threads=1)
    assert np.array_equal(one.values, pellucid.explain(ADULT, rows).values)


def test_the_bar_follows_the_work(monkeypatch):
    told = []

    class Bar:
        def __call__(self, done, total):
            told.append((done, total))

        def close(self):
            told.append("closed")

    monkeypatch.setattr(pellucid._progress, "Bar", Bar)
    pellucid.explain(ADULT, np.zeros((100, 13)))
    assert told == ["closed"], "short work shows nothing"
