"""A machine in QEMU: started, looked at, touched, and robbed of its power. Standard library only."""

import json
import os
import re
import select
import shutil
import socket
import struct
import subprocess
import time
import zlib
from pathlib import Path

FIRMWARE = ["/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_CODE.fd"]
SIZE = (1280, 800)


class Late(Exception):
    """Something did not happen in its time."""


class Machine:
    """One disk and whatever runs from it. The disk stays when the power goes."""

    def __init__(self, folder: Path, image: Path, gib: int = 2):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.disk = folder / "disk.img"
        subprocess.run(["cp", "--sparse=always", image, self.disk], check=True)
        # A real disk is larger than the image; the machine takes the rest at its first start.
        os.truncate(self.disk, gib << 30)
        self.firmware = next(Path(path) for path in FIRMWARE if Path(path).exists())
        self.variables = folder / "variables.fd"
        shutil.copy(str(self.firmware).replace("CODE", "VARS"), self.variables)
        self.process = None
        self.serial = b""
        self.starts = 0

    # --- Power.

    def start(self, stick: Path | None = None):
        self.starts += 1
        for name in ["qmp", "serial"]:
            (self.folder / name).unlink(missing_ok=True)
        accelerator = os.environ.get("VENTANILLA_ACCEL", "tcg,thread=multi")
        width, height = SIZE
        command = [
            "qemu-system-x86_64", "-M", "q35", "-accel", accelerator, "-cpu", "max", "-smp", "2", "-m", "1024",
            "-nodefaults", "-display", "none", "-uuid", "7f3d6a10-0d9c-4f0e-9a44-00000000a11a",
            "-device", f"virtio-vga,xres={width},yres={height}", "-device", "virtio-multitouch-pci",
            "-device", "qemu-xhci", "-device", "usb-kbd", "-device", "i6300esb", "-action", "watchdog=reset",
            "-netdev", "user,id=cable", "-device", "virtio-net-pci,netdev=cable,mac=52:54:00:a1:1a:01",
            "-chardev", f"socket,id=line,path={self.folder / 'serial'},server=on,wait=off", "-serial", "chardev:line",
            "-chardev", f"file,id=journal,path={self.folder / 'journal.log'},append=on", "-serial", "chardev:journal",
            "-qmp", f"unix:{self.folder / 'qmp'},server=on,wait=off",
            "-drive", f"if=pflash,format=raw,readonly=on,file={self.firmware}",
            "-drive", f"if=pflash,format=raw,file={self.variables}",
            "-drive", f"file={self.disk},if=virtio,format=raw,cache=writeback,discard=unmap,detect-zeroes=unmap",
        ]
        if stick:
            command += ["-drive", f"file={stick},if=none,id=stick,format=raw,readonly=on",
                        "-device", "usb-storage,drive=stick"]
        self.log = open(self.folder / "qemu.log", "ab")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.begun = time.monotonic()
        self.line = self._connect("serial")
        self.qmp = self._connect("qmp")
        self._answers = self.qmp.makefile("r")
        try:
            self._answers.readline()
            self.order("qmp_capabilities")
        except (OSError, ValueError):
            raise Late(f"QEMU did not start: {(self.folder / 'qemu.log').read_text()[-400:]}") from None
        self.serial = b""

    def _connect(self, name: str) -> socket.socket:
        for _ in range(200):
            if self.process.poll() is not None:
                raise Late(f"QEMU did not start: {(self.folder / 'qemu.log').read_text()[-400:]}")
            try:
                line = socket.socket(socket.AF_UNIX)
                line.connect(str(self.folder / name))
                return line
            except OSError:
                time.sleep(0.05)
        raise Late(f"QEMU has no {name}")

    def pull_the_plug(self):
        """No goodbye: what the machine had not written is gone."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    # --- The screen.

    def order(self, what: str, **arguments):
        self.qmp.sendall(json.dumps({"execute": what, "arguments": arguments}).encode() + b"\n")
        while True:
            answer = json.loads(self._answers.readline())
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise Late(f"{what}: {answer['error']['desc']}")

    def picture(self, name: str = "now") -> "Picture":
        path = self.folder / f"{name}.ppm"
        self.order("screendump", filename=str(path))
        return Picture.read(path)

    def touch(self, x: float, y: float):
        """A finger at a point of the picture, in pixels."""
        width, height = SIZE
        at = {"x": int(x * 32767 / width), "y": int(y * 32767 / height)}
        axis = lambda name: {"type": "mtt", "data": {
            "type": "data", "slot": 0, "tracking-id": 1, "axis": name, "value": at[name]}}
        edge = lambda kind, tracking: {"type": "mtt", "data": {
            "type": kind, "slot": 0, "tracking-id": tracking, "axis": "x", "value": at["x"]}}
        self.order("input-send-event", events=[edge("begin", 1), axis("x"), axis("y")])
        time.sleep(0.08)
        self.order("input-send-event", events=[edge("end", -1)])

    def keys(self, *names: str):
        self.order("send-key", keys=[{"type": "qcode", "data": name} for name in names])

    # --- The laboratory's shell on the serial line.

    def hear(self, seconds: float = 0.2) -> bytes:
        if select.select([self.line], [], [], seconds)[0]:
            heard = self.line.recv(65536)
            self.serial += heard
            with open(self.folder / "serial.log", "ab") as log:
                log.write(heard)
            return heard
        return b""

    def wait_for(self, text: str, seconds: float):
        until = time.monotonic() + seconds
        while text.encode() not in self.serial:
            if time.monotonic() > until:
                raise Late(f"«{text}» was not heard on the serial line within {seconds:.0f} s")
            if self.process.poll() is not None:
                raise Late(f"QEMU ended before «{text}»")
            self.hear()

    def shell(self, command: str, seconds: float = 60) -> str:
        """What a command prints, run as root in the machine; only in an image built with --lab."""
        mark = f"done-{time.monotonic_ns()}"
        self.serial = b""
        # The mark is put together there, so that the echo of the order is not taken for its end.
        self.line.sendall(f"{command}; echo {mark[:4]}'{mark[4:]}'\n".encode())
        self.wait_for(mark, seconds)
        text = self.serial.decode(errors="replace").replace("\r", "")
        lines = text.split(mark)[0].split("\n")
        return "\n".join(line for line in lines if mark[4:] not in line and line.strip() != command).strip()

    def wait_for_shell(self, seconds: float):
        until = time.monotonic() + seconds
        while True:
            if time.monotonic() > until:
                raise Late(f"The machine has no shell after {seconds:.0f} s")
            try:
                self.shell("true", 5)
                return
            except Late:
                if self.process.poll() is not None:
                    raise

    def until(self, question: str, answer: str, seconds: float) -> str:
        """Asks until the answer matches, and returns it."""
        end = time.monotonic() + seconds
        said = ""
        while time.monotonic() < end:
            said = self.shell(question, 30)
            if re.search(answer, said):
                return said
            time.sleep(0.3)
        raise Late(f"«{question}» still says «{said[-200:]}» after {seconds:.0f} s")


    def patiently(self, question: str, answer: str, seconds: float) -> str:
        """Like `until`, through any number of restarts of the machine."""
        end = time.monotonic() + seconds
        said = ""
        while time.monotonic() < end:
            try:
                said = self.shell(question, 10)
                if re.search(answer, said):
                    return said
                time.sleep(1)
            except Late:
                if self.process.poll() is not None:
                    raise
        raise Late(f"«{question}» still says «{said[-200:]}» after {seconds:.0f} s")


class Picture:
    """What is on a screen."""

    def __init__(self, width: int, height: int, pixels: bytes):
        self.width, self.height, self.pixels = width, height, pixels

    @staticmethod
    def read(path: Path) -> "Picture":
        data = path.read_bytes()
        head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
        return Picture(int(head[1]), int(head[2]), data[head.end():])

    def is_blank(self) -> bool:
        """Fewer than eight colours: a console, or nothing."""
        step = self.pixels
        return len({step[at:at + 3] for at in range(0, len(step), 3 * 37)}) < 8

    def differs(self, other: "Picture") -> float:
        """Share of looked-at points that are clearly different."""
        if (self.width, self.height) != (other.width, other.height):
            return 1.0
        points = range(0, len(self.pixels) - 2, 3 * 29)
        far = sum(1 for at in points
                  if sum(abs(self.pixels[at + i] - other.pixels[at + i]) for i in range(3)) > 60)
        return far / len(points)

    def save(self, path: Path):
        """As PNG."""
        rows = b"".join(b"\0" + self.pixels[row * self.width * 3:(row + 1) * self.width * 3]
                        for row in range(self.height))
        part = lambda kind, body: (struct.pack(">I", len(body)) + kind + body
                                   + struct.pack(">I", zlib.crc32(kind + body)))
        path.write_bytes(b"\x89PNG\r\n\x1a\n"
                         + part(b"IHDR", struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0))
                         + part(b"IDAT", zlib.compress(rows, 6)) + part(b"IEND", b""))


def stick(path: Path, files: dict[str, Path], mib: int = 64) -> Path:
    """A FAT stick with the name that the appliance looks for."""
    path.unlink(missing_ok=True)
    with open(path, "wb") as image:
        image.truncate(mib << 20)
    subprocess.run(["/usr/sbin/sfdisk", "-q", path], input=b"label: dos\nstart=2048, type=c\n", check=True)
    partition = f"{path}@@1M"
    subprocess.run(["mformat", "-i", partition, "-T", str((mib - 1) * 2048), "-F", "-v", "VENTANILLA", "::"], check=True)
    for name, source in files.items():
        subprocess.run(["mcopy", "-i", partition, source, f"::/{name}"], check=True)
    return path
