"""An office's hub in a temporary folder, for tools of other people: a browser, a tester of APIs.

The program is the one named by VENTANILLA, or the newest that was built in CARGO_TARGET_DIR.
"""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]

SETTINGS = """
listen = "127.0.0.1:0"
data = "data"
alarm_minutes = 30
recall_max = 5

[office]
id = "quitumbe"
name = "Quitumbe"
kind = "Administración Zonal"
room = "Sala A"

[[queues]]
id = "tributos"
name = "Tributos"
series = "T"
service_minutes = 6

[[queues]]
id = "catastro"
name = "Avalúos y Catastros"
series = "C"
service_minutes = 9

[[counters]]
number = 4
serves = ["tributos"]
then_serves = ["catastro"]

[[counters]]
number = 5
serves = ["catastro"]

[[kiosks]]
id = "k1"
token_hash = "{kiosk}"
"""

KIOSK_TOKEN = "a-kiosk-of-the-tests"


def program() -> pathlib.Path:
    named = os.environ.get("VENTANILLA")
    if named:
        return pathlib.Path(named)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    built = [target / kind / "ventanilla" for kind in ("debug", "release")]
    built = [path for path in built if path.exists()]
    if not built:
        raise SystemExit("The program is not built; run `cargo build` first")
    return max(built, key=lambda path: path.stat().st_mtime)


class Hub:
    """A running office; leave the `with` to stop it as a service manager does."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ventanilla-"))
        self.settings = self.folder / "office.toml"
        kiosk = hashlib.sha256(KIOSK_TOKEN.encode()).hexdigest()
        self.settings.write_text(SETTINGS.replace("{kiosk}", kiosk), encoding="utf-8")
        self.token = self.run("token", "add", "--name", "tests", "--role", "supervisor").split()[-1]

    def run(self, *arguments: str, says: str = "") -> str:
        done = subprocess.run(
            [program(), "office", "--config", self.settings, *arguments],
            input=says, capture_output=True, text=True, timeout=60,
        )
        if done.returncode:
            raise SystemExit(f"{arguments}: {done.stderr}")
        return done.stdout.strip()

    def person(self, login: str, name: str, role: str, password: str):
        self.run("user", "add", "--login", login, "--name", name, "--role", role, says=password + "\n")

    def __enter__(self):
        self.log = open(self.folder / "log", "w", encoding="utf-8")
        self.process = subprocess.Popen(
            [program(), "office", "--config", self.settings],
            stdout=subprocess.PIPE, stderr=self.log, text=True,
        )
        watchdog = threading.Timer(60, self.process.kill)
        watchdog.start()
        said = {}
        for line in self.process.stdout:
            name, _, value = line.strip().partition(" ")
            if name == "ready":
                break
            said[name] = value
        watchdog.cancel()
        if "office" not in said:
            raise SystemExit((self.folder / "log").read_text(encoding="utf-8"))
        self.base, self.console = said["office"], said["console"]
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method: str, path: str, body=None, token: str | None = None):
        request = urllib.request.Request(
            f"{self.base}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {token or self.token}",
                "Content-Type": "application/json",
                "Idempotency-Key": str(uuid.uuid4()),
            },
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=30) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as refused:
            raise SystemExit(f"{method} {path}: {refused.code} {refused.read().decode()}") from None
        return json.loads(text) if text else None

    def ticket(self, queue: str, lane: str = "general"):
        return self.call("POST", "/tickets", {"queue": queue, "lane": lane}, KIOSK_TOKEN)
