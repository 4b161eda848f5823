"""A server in a process of its own."""

import json
import os
import re
import signal
import subprocess
import urllib.request

from conftest import PELLUCID, ROOT

MODELS = ROOT / "fixtures" / "models"


class Running:
    """A server with a home, a log and a port of its own."""

    def __init__(self, folder, *options):
        self.log = folder / "log" / "explanations.log"
        self.log.parent.mkdir(exist_ok=True)
        home = str(folder / "home")
        self.environment = os.environ | {"HOME": home, "XDG_DATA_HOME": home}
        command = [PELLUCID, "serve", "--models", MODELS, "--log", self.log, "--port", "0", "--log-level", "error"]
        command += options
        with (folder / "stderr").open("w") as stderr:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=stderr, text=True
            )
        self.folder = folder

    def listening(self):
        """Waits until it listens."""
        first = self.process.stdout.readline()
        found = re.fullmatch(r"listening at (http://(\S+))\n", first)
        assert found, first + (self.folder / "stderr").read_text()
        self.address, self.host = found.groups()
        return self

    def request(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()

    def json(self, path, body=None):
        return json.loads(self.request(path, body)[2])

    def cli(self, *arguments):
        command = [PELLUCID, *map(str, arguments)]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=self.environment).stdout

    def stop(self):
        """Asks it to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def kill(self):
        """Ends it as a power cut does."""
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self.listening()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()
        self.process.stdout.close()
