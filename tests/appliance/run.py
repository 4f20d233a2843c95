#!/usr/bin/env python3
"""The appliance from outside: built, started, touched, robbed of its power, updated. Standard library only.

Usage: tests/appliance/run.py --program PROGRAM [--folder DIR] [--image IMAGE] [--only NAME,…] [--pulls N]
         [--better UPDATE --broken UPDATE]

PROGRAM is `ventanilla` for this machine; the image's own program must have the feature `appliance`.
Says of every step what was seen, and of what it left out why. Exits 1 when something did not hold.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from vm import SIZE, Late, Machine, Picture, stick

PROJECT = Path(__file__).resolve().parents[2]
# Emulated processors are slow, and a busy machine makes them slower.
FIRST_FRAME, BACK, RESTART = 420, 60, 420


def say(text: str):
    print(text, flush=True)


class Failed(Exception):
    """Something that must hold does not."""


def must(holds: bool, what: str):
    if not holds:
        raise Failed(what)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class House:
    """What stands around the kiosk: an office and a central on this machine, a printer, and a twin of the screen."""

    def __init__(self, program: Path, folder: Path, rotation: int):
        self.program, self.folder, self.rotation = program, folder, rotation
        self.children = []
        self.base = free_port()
        self.paper = folder / "paper"
        self.printer = free_port()
        self.settings = folder / "house"

    def begin(self):
        # A demonstration writes settings and keys that fit each other; then each role runs alone.
        first = self._start("demo", "--data", self.settings, "--port", "0", "--display", "none", until="ready")
        self.token = first["token"]
        self._stop(self.children.pop())
        office = (self.settings / "office.toml").read_text()
        token = os.urandom(32).hex()
        (self.settings / "keys" / "twin.token").write_text(token)
        office += f'\n[[kiosks]]\nid = "twin"\ntoken_hash = "{hashlib.sha256(token.encode()).hexdigest()}"\n'
        (self.settings / "office.toml").write_text(office)
        self.office = "http://" + re.search(r'^listen = "(.*)"', office, re.M)[1]
        self._start("printer", "simulate", "--port", str(self.printer), "--control", str(free_port()),
                    "--output", self.paper, until="ready")
        self._start("central", "--config", self.settings / "central.toml", until="ready")
        self._start("office", "--config", self.settings / "office.toml", until="ready")
        # The twin has the same screen and tells where everything is on it; it prints into a folder of its own.
        twin = (self.settings / "kiosk.toml").read_text()
        twin = re.sub(r'^printer = .*', f'printer = "dir:{self.folder / "twin-paper"}"', twin, flags=re.M)
        twin = re.sub(r'^data = .*', f'data = "{self.folder / "twin"}"', twin, flags=re.M)
        self.twin_at = f"127.0.0.1:{free_port()}"
        twin = self._screen(twin, f'web = "{self.twin_at}"')
        # A kiosk of its own with a token of its own: two with one name would be taken for a copied disk.
        twin = twin.replace('id = "k2"', 'id = "twin"', 1).replace("kiosk.token", "twin.token")
        twin = twin.replace("keys/kiosk.key", "keys/twin.key")
        (self.settings / "twin.toml").write_text(twin)
        self.twin = f"http://{self.twin_at}/kiosk"
        self.twin_child = None

    def fresh_twin(self):
        """A twin that shows the invitation."""
        if self.twin_child:
            self._stop(self.twin_child)
            self.children.remove(self.twin_child)
        self._start("kiosk", "--config", self.settings / "twin.toml", "--display", "web", until="ready")
        self.twin_child = self.children[-1]

    def _screen(self, text: str, more: str) -> str:
        text = re.sub(r"\n\[screen\]\n(.*\n)*", "\n", text)
        width, height = SIZE if self.rotation in (0, 180) else SIZE[::-1]
        return f"{text}\n[screen]\nwidth = {width}\nheight = {height}\n{more}\n"

    def machine_settings(self) -> Path:
        """The settings of the kiosk in the machine, as a folder to be packed."""
        out = self.folder / "settings"
        shutil.rmtree(out, ignore_errors=True)
        (out / "keys").mkdir(parents=True)
        text = (self.settings / "kiosk.toml").read_text()
        keys = self.settings / "keys"
        for name in re.findall(r'keys/([\w.-]+)"', text):
            secret = not name.endswith(".pub")
            shutil.copy(keys / name, out / "keys" / name if secret else out / name)
            where = f"credential:keys_{name}" if secret else f"/etc/ventanilla/{name}"
            text = text.replace(f'"{keys / name}"', f'"{where}"')
        text = re.sub(r'^data = .*', 'data = "/var/lib/ventanilla/kiosk"', text, flags=re.M)
        text = re.sub(r'^printer = .*', f'printer = "tcp:10.0.2.2:{self.printer}"', text, flags=re.M)
        text = re.sub(r'profile = "80-raster"', 'profile = "simulator"', text)
        text = text.replace(self.office, self.office.replace("127.0.0.1", "10.0.2.2"))
        (out / "kiosk.toml").write_text(self._screen(text, f"rotation = {self.rotation}"))
        return out

    def run(self, *arguments) -> str:
        done = subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True, timeout=120)
        must(done.returncode == 0, f"ventanilla {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def _start(self, *arguments, until: str) -> dict:
        log = open(self.folder / "house.log", "ab")
        child = subprocess.Popen([self.program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=log,
                                 stdin=subprocess.DEVNULL, text=True)
        self.children.append(child)
        said = {}
        for line in child.stdout:
            name, _, value = line.strip().partition(" ")
            if name == until:
                return said
            said[name] = value
        raise Failed(f"ventanilla {arguments[0]} ended; see {self.folder / 'house.log'}")

    @staticmethod
    def _stop(child):
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()

    def end(self):
        for child in reversed(self.children):
            self._stop(child)

    def ask(self, address: str, body: dict | None = None, token: bool = False):
        request = urllib.request.Request(address, data=json.dumps(body).encode() if body is not None else None)
        request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def twin_view(self) -> dict:
        return json.loads(self.ask(self.twin + "/view.json"))

    def twin_tap(self, x: float, y: float):
        self.ask(self.twin + "/tap", {"x": x, "y": y})

    def sheets(self) -> list[str]:
        return [path.read_text() for path in sorted(self.paper.glob("*.txt"))]

    def issued(self) -> list[str]:
        """Numbers that the office knows."""
        lines = self.ask(self.office + "/api/v1/events?after=0", token=True).decode().splitlines()
        return [event["number"] for event in map(json.loads, lines) if event["type"] == "issued"]


def on_panel(x: float, y: float, rotation: int) -> tuple[float, float]:
    """Where a point of the picture is on a panel that shows it turned clockwise."""
    width, height = SIZE
    return {0: (x, y), 90: (width - y, x), 180: (width - x, height - y), 270: (y, height - x)}[rotation]


def press(house: House, machine: Machine, label: str):
    """Touches the same control on the twin and on the machine."""
    elements = house.twin_view()["elements"]
    found = [it for it in elements if it["role"] in ("button", "choice") and re.search(label, it["label"])]
    must(bool(found), f"the twin has no «{label}», only {[it['label'] for it in elements]}")
    one = found[0]
    x, y = one["x"] + one["width"] / 2, one["y"] + one["height"] / 2
    machine.touch(*on_panel(x, y, house.rotation))
    house.twin_tap(x, y)


def ready(machine: Machine, seconds: float = FIRST_FRAME):
    machine.wait_for_shell(seconds)
    machine.until("systemctl show -P ActiveState ventanilla-kiosk", "^active$", seconds)


# What to touch on the way from the invitation to the promise of a number, by the face that is shown.
WAY = {"attract": "Español", "home": "Tomar un turno", "turn-queue": "Tributos", "turn-lane": "Sí, preferente"}


def take_a_turn(house: House, machine: Machine):
    """From the invitation to the touch that promises a number."""
    house.fresh_twin()
    for _ in range(8):
        face = house.twin_view()["face"]
        if face not in WAY:
            return
        press(house, machine, WAY[face])
        time.sleep(float(os.environ.get("VENTANILLA_PATIENCE", "2.5")))
        # Each step of the way can be looked at, also where it went elsewhere.
        machine.picture().save(machine.folder / f"way-{face}.png")
    raise Failed("the way to a turn does not end")


def wait_for_picture(machine: Machine, wanted: Picture, seconds: float, near: float = 0.02) -> float:
    """Until the screen shows it; the share that differs."""
    until = time.monotonic() + seconds
    while True:
        share = machine.picture().differs(wanted)
        if share < near:
            return share
        if time.monotonic() > until:
            raise Late(f"the screen still differs by {share:.1%} after {seconds:.0f} s")
        time.sleep(0.5)


class Run:
    """The steps, in an order in which each needs only those before it."""

    def __init__(self, arguments, folder: Path):
        program, image, self.pulls = arguments.program.resolve(), arguments.image.resolve(), arguments.pulls
        self.folder, self.better, self.broken = folder, arguments.better, arguments.broken
        self.house = House(program, folder, arguments.rotation)
        self.machine = Machine(folder / "machine", image)
        self.figures = {}

    def step_start(self):
        """First start from a stick: set up, first frame, figures."""
        self.house.begin()
        key = self.folder / "authority.key"
        self.house.run("keys", "new", "--kind", "signing", "-o", key)
        package = self.folder / "k2.vtk"
        self.house.run("provision", "make", "--settings", self.house.machine_settings(), "--name", "k2",
                       "--key", key, "-o", package)
        self.machine.start(stick(self.folder / "stick.img", {"k2.vtk": package}))
        ready(self.machine)
        say(f"  set up from a stick and ready {time.monotonic() - self.machine.begun:.0f} s after power on")
        self.look("first-frame")
        picture = self.machine.picture()
        must(not picture.is_blank(), "the screen is blank, and the kiosk said that it is ready")
        self.attract = picture
        labels = [row for row in self.machine.shell("lsblk -no PARTLABEL /dev/vda").split() if row]
        must(labels == ["esp", "root-a", "verity-a", "root-b", "verity-b", "data"], f"partitions are {labels}")

    def step_second_start(self):
        """A start with everything in place: how long to the first frame, and how much memory."""
        self.machine.pull_the_plug()
        self.machine.start()
        ready(self.machine)
        show = lambda what, unit: self.machine.shell(f"systemctl show -P {what} {unit}")
        frame = int(show("ActiveEnterTimestampMonotonic", "ventanilla-kiosk")) / 1e6
        begun = int(show("InactiveExitTimestampMonotonic", "ventanilla-kiosk")) / 1e6
        boot = int(self.machine.shell("systemctl show -P UserspaceTimestampMonotonic")) / 1e6
        memory = self.machine.shell("cat /proc/meminfo")
        field = lambda name: int(re.search(rf"^{name}: +(\d+)", memory, re.M)[1]) / 1024
        used = field("MemTotal") - field("MemAvailable")
        failed = self.machine.shell("systemctl --failed --plain --no-legend")
        must(failed == "", f"units failed: {failed}")
        self.figures |= {
            "kernel start to first frame": f"{frame:.1f} s; the program's part {frame - begun:.1f} s, "
                                           f"{(frame - begun) / frame:.0%}; userspace begins at {boot:.1f} s",
            "memory in use": f"{used:.0f} MiB of 1 GiB (limit 250)",
        }
        must(used < 250, f"{used:.0f} MiB are in use")

    def step_touch(self):
        """A touch reaches the session, and a ticket lands in the printer."""
        before, known = self.machine.picture(), len(self.house.sheets())
        take_a_turn(self.house, self.machine)
        self.look("turn")
        until = time.monotonic() + 60
        while len(self.house.sheets()) <= known and time.monotonic() < until:
            time.sleep(0.5)
        sheets = self.house.sheets()[known:]
        must(len(sheets) == 1, f"{len(sheets)} sheets came out of the printer")
        must(self.machine.picture().differs(before) > 0.05, "the screen is the same as before")
        number = numbers(sheets[0])
        must(number and number[0] in self.house.issued(), f"the office does not know {number}")
        say(f"  ticket {number[0]} came out of the printer, and the office knows it")

    def step_kill(self):
        """The process is killed, and is back within 5 s; frozen, and is begun again."""
        self.back("kill -9", 5, "the process was killed")
        self.back("kill -STOP", 30, "the screen was frozen")

    def back(self, how: str, limit: float, what: str):
        unit = "ventanilla-kiosk"
        begun = float(self.machine.shell(f"cut -d ' ' -f 1 /proc/uptime; {how} $(systemctl show -P MainPID {unit})"))
        self.machine.until(
            f"test $(systemctl show -P ActiveEnterTimestampMonotonic {unit}) -gt {int(begun * 1e6)} && "
            f"systemctl show -P ActiveState {unit}", "^active$", BACK + limit)
        ready_at = int(self.machine.shell(f"systemctl show -P ActiveEnterTimestampMonotonic {unit}")) / 1e6
        self.figures[f"{what}; back after"] = f"{ready_at - begun:.1f} s (limit {limit:.0f})"
        must(ready_at - begun <= limit, f"{what}, and it took {ready_at - begun:.1f} s")

    def step_keys(self):
        """Keys that lead out of other machines lead nowhere."""
        before = self.machine.picture()
        for combination in (("ctrl", "alt", "f2"), ("ctrl", "alt", "delete"), ("ctrl", "alt", "backspace"),
                            ("alt", "sysrq", "b"), ("alt", "f4")):
            self.machine.keys(*combination)
            time.sleep(1)
        pid = self.machine.shell("systemctl show -P NRestarts ventanilla-kiosk")
        time.sleep(2)
        must(self.machine.picture().differs(before) < 0.1, "the screen changed")
        must(self.machine.shell("systemctl show -P NRestarts ventanilla-kiosk") == pid, "the kiosk was begun again")
        refused = self.machine.shell("touch /usr/lib/x; echo $?")
        must("Read-only" in refused, f"the root can be written: {refused}")

    def step_plug(self):
        """The plug is pulled while numbers are promised: none that was printed is lost or given twice."""
        printed = [number for sheet in self.house.sheets() for number in numbers(sheet)[:1]]
        for pull in range(self.pulls):
            known = len(self.house.sheets())
            take_a_turn(self.house, self.machine)
            # From before the promise until after the paper.
            time.sleep(0.15 * (pull % 8))
            self.machine.pull_the_plug()
            time.sleep(1)
            printed += [number for sheet in self.house.sheets()[known:] for number in numbers(sheet)[:1]]
            self.machine.start()
            ready(self.machine)
            wait_for_picture(self.machine, self.attract, 60, 0.05)
        # What a kiosk promised alone the office hears when it is back.
        until = time.monotonic() + 60
        while (lost := [number for number in printed if number not in self.house.issued()]) and time.monotonic() < until:
            time.sleep(1)
        must(not lost, f"the office does not know {lost}")
        must(len(set(printed)) == len(printed), f"a number was printed twice: {sorted(printed)}")
        quarantined = self.machine.shell("ls /var/lib/ventanilla/kiosk/quarantine 2>/dev/null | wc -l")
        must(quarantined == "0", "a data file was put aside")
        say(f"  {self.pulls} times; {len(printed)} papers, each known to the office once")

    def step_update(self):
        """A stick brings a version that works, and one that does not: the machine keeps the first."""
        if not (self.better and self.broken):
            raise Skipped("no updates were given; use --better and --broken")
        identity = "cd /etc/ventanilla && sha256sum kiosk.toml keys/* provisioned.json | sha256sum"
        before = self.machine.shell(identity)
        version = ". /etc/os-release; echo runs $IMAGE_VERSION"
        running = self.machine.shell(version)
        self.machine.pull_the_plug()
        self.machine.start(stick(self.folder / "stick.img", {"better.vup": self.better}, 700))
        begun = time.monotonic()
        self.machine.patiently("ventanilla update status", r"(?s)slot b.*proved yes", 3 * RESTART)
        better = self.machine.shell(version)
        must(better != running, f"the machine still {better}")
        ready(self.machine)
        say(f"  {better} in slot b, proved {time.monotonic() - begun:.0f} s after power on with the stick")
        self.machine.pull_the_plug()
        self.machine.start(stick(self.folder / "stick.img", {"broken.vup": self.broken}, 700))
        begun = time.monotonic()
        self.machine.patiently("ventanilla update status", r"(?s)slot b.*kernel a \S+ failed", 8 * RESTART)
        ready(self.machine)
        must(self.machine.shell(version) == better, "another version runs")
        must(self.machine.shell(identity) == before, "the machine is not what it was set up to be")
        say(f"  the broken one was tried and left; back {time.monotonic() - begun:.0f} s after power on")
        self.look("after-rollback")

    def step_changed_byte(self):
        """One changed byte in the root, and the machine does not start from it."""
        slot = self.machine.shell("sed 's/.*ventanilla.slot=\\(.\\).*/\\1/' /proc/cmdline").strip()
        sector = self.machine.shell(f"cat /sys/class/block/$(basename $(readlink -f /dev/disk/by-partlabel/root-{slot}))/start")
        root = int(sector) * 512
        self.machine.pull_the_plug()
        with open(self.machine.disk, "r+b") as disk:
            # Where the file system begins, and in the middle of what is in it.
            for at in (root + 1024 + 3, root + (40 << 20)):
                disk.seek(at)
                byte = disk.read(1)
                disk.seek(at)
                disk.write(bytes([byte[0] ^ 0x01]))
        self.machine.start()
        begun = time.monotonic()
        try:
            self.machine.wait_for("corrupted", RESTART)
            say(f"  refused {time.monotonic() - begun:.0f} s after power on")
        except Late:
            raise Failed("nothing refused the changed root") from None
        self.look("changed-byte")

    def look(self, name: str):
        self.machine.picture().save(self.folder / f"{name}.png")


class Skipped(Exception):
    """A step that cannot be done here, and why."""


def numbers(sheet: str) -> list[str]:
    """The numbers of turns on a paper, such as T-007."""
    return re.findall(r"\b[A-Z]{1,2}-\d{3,}\b", sheet)


STEPS = ["start", "second_start", "touch", "kill", "keys", "plug", "update", "changed_byte"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--image", type=Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--pulls", type=int, default=20)
    parser.add_argument("--rotation", type=int, default=0, choices=[0, 90, 180, 270], help="how the panel hangs")
    parser.add_argument("--better", type=Path, help="an update to a higher version")
    parser.add_argument("--broken", type=Path, help="an update to a still higher one whose program does not start")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    if folder.exists() and any(folder.iterdir()):
        parser.error(f"{folder} is not empty; give a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(arguments, folder)
    wanted = arguments.only.split(",") if arguments.only else STEPS
    built = json.loads(arguments.image.with_suffix(".json").read_text())
    parts = [built[name] for name in ("root_bytes", "verity_bytes", "kernel_bytes")]
    run.figures["image"] = f"{sum(parts) / 2**20:.0f} MiB of root, hashes and kernel (limit 400)"
    bad = 0
    try:
        must(built["lab"], "the image was not built with --lab, so nobody can look inside")
        must(sum(parts) < 400 << 20, "the image is larger than 400 MiB")
        for name in STEPS:
            if name not in wanted:
                say(f"skip  {name}: not asked for")
                continue
            step = getattr(run, f"step_{name}")
            begun = time.monotonic()
            try:
                say(f"  …   {step.__doc__}")
                step()
                say(f"ok    {name} ({time.monotonic() - begun:.0f} s)")
            except Skipped as why:
                say(f"skip  {name}: {why}")
            except (Failed, Late, OSError, urllib.error.URLError) as why:
                bad += 1
                say(f"FAIL  {name}: {why}")
                if run.machine.process and run.machine.process.poll() is None:
                    run.look(f"failed-{name}")
                if name == "start":
                    break
    finally:
        run.machine.pull_the_plug()
        run.house.end()
    for name, value in run.figures.items():
        say(f"figure {name}: {value}")
    say(f"pictures and logs are in {folder}" if bad else "the appliance holds")
    return 1 if bad else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
