"""Replays the steps of the Dockerfile without a container engine, and looks whether what they make works.

Pinned requirements are installed into a fresh environment, what is copied is copied, and the very command is
started with the very environment, as a user that is not root: it must answer `/ping`, `/health` and
`POST /notes`, and end with status 0 when it is stopped. What a step means here is said for each; a step that
is not known fails, so that the Dockerfile does not change unseen. Run by `make test-container`.
"""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
SECRET = "a-secret-of-the-replay"  # noqa: S105 nobody else listens to it
NOBODY = 65534
START_SECONDS = 60


def instructions() -> list[tuple[str, str]]:
    """Read the Dockerfile: each instruction with what follows it."""
    text = (HERE / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines()]
    found = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    return [(name, " ".join(rest.split())) for name, rest in found]


def ignored(_folder: str, names: list[str]) -> set[str]:
    """Leave out what .dockerignore names, and what no image needs."""
    patterns = [line.strip().strip("/") for line in (HERE / ".dockerignore").read_text().splitlines()]
    return {name for name in names if name in patterns or name == "__pycache__"}


def interpreter() -> str:
    """Find a Python of this version that a user who is not root can run, too."""
    version = "python{}.{}".format(*sys.version_info)
    for candidate in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        path = Path(candidate).resolve()
        if path.exists() and all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents)):
            return candidate
    raise AssertionError(f"there is no {version} that a user who is not root can run")


class Replay:
    """The image as far as it is made, in a folder that stands for its root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root
        self.venv = root / "venv"
        self.environment = {"PATH": f"{self.venv / 'bin'}:/usr/bin:/bin"}
        self.user = "root"
        self.command: list[str] = []

    def at(self, path: str) -> str:
        """Say where a path of the image is."""
        return str(self.root / path.lstrip("/")) if path.startswith("/") else path

    def step(self, name: str, rest: str) -> None:
        """Do one instruction."""
        match name:
            case "FROM":
                version = "{}.{}".format(*sys.version_info)
                assert rest == f"python:{version}-slim", f"{rest} is replayed by Python {version}"
                subprocess.run([interpreter(), "-m", "venv", self.venv], check=True)
            case "WORKDIR":
                self.folder = Path(self.at(rest))
                self.folder.mkdir(parents=True)
            case "COPY":
                *sources, target = rest.split()
                for source in sources:
                    self.copy(HERE / source, self.folder / target)
            case "RUN" if rest.startswith("pip install "):
                subprocess.run(
                    shlex.split(rest), cwd=self.folder, env=os.environ | self.environment, check=True
                )
            case "RUN":
                # Its user stands for nobody here, and its folder is made in place of the one at the root.
                expected = "useradd --system --home-dir /srv spacey && install -d -o spacey -m 0700 /data"
                assert rest == expected, f"it is not known how to replay {rest!r}"
                data = Path(self.at("/data"))
                data.mkdir(mode=0o700)
                if os.geteuid() == 0:
                    os.chown(data, NOBODY, NOBODY)
            case "USER":
                self.user = rest
            case "ENV":
                for pair in shlex.split(rest):
                    variable, value = pair.split("=", 1)
                    self.environment[variable] = self.at(value)
            case "VOLUME":
                assert Path(self.at(rest)).is_dir(), rest
            case "EXPOSE":
                settings = (self.folder / "card_generation/settings.py").read_text()
                assert rest in settings, f"{rest} is not the port of the settings"
            case "CMD":
                self.command = json.loads(rest)
            case _:
                raise AssertionError(f"it is not known how to replay {name}")

    def copy(self, source: Path, target: Path) -> None:
        """Copy a file or a folder."""
        if source.is_dir():
            shutil.copytree(source, target, ignore=ignored)
        else:
            shutil.copy(source, target)

    def start(self) -> "subprocess.Popen[str]":
        """Start the command as the image's user, who is not root."""
        assert self.user not in ("root", "0"), "the container would run as root"
        given = {"SPACEY_GENERATION_SECRET": SECRET, "SPACEY_GENERATION_PORT": "0"}
        root = os.geteuid() == 0
        return subprocess.Popen(
            [shutil.which(self.command[0], path=self.environment["PATH"]) or "", *self.command[1:]],
            cwd=self.folder,
            env=self.environment | given,
            stderr=subprocess.PIPE,
            text=True,
            user=NOBODY if root else None,
            group=NOBODY if root else None,
            extra_groups=[] if root else None,
        )


def ask(url: str, body: dict[str, str] | None = None) -> dict[str, object]:
    """Ask as the generation subgraph does."""
    headers = {"x-spacey-secret": SECRET, "content-type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)  # noqa: S310 its own address
    with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:  # noqa: S310
        found: dict[str, object] = json.load(answer)
        return found


def look(process: "subprocess.Popen[str]") -> None:
    """Look whether it works, and stop it as an engine does."""
    assert process.stderr is not None
    port = next((line.rsplit(":", 1)[1].strip() for line in process.stderr if "listening on" in line), None)
    assert port, f"it ended with status {process.wait()} before it listened"
    status = Path(f"/proc/{process.pid}/status").read_text()
    assert "\nUid:\t0\t" not in status, "it runs as root"
    url = f"http://127.0.0.1:{port}"
    assert ask(f"{url}/ping") == {"ping": "pong!"}
    assert ask(f"{url}/health")["status"] == "ok"
    note = {"deck_id": "d1", "text": "Osmosis is the movement of water through a membrane."}
    assert ask(f"{url}/notes?userID=u1", note)["message"] == "success"
    process.send_signal(signal.SIGTERM)
    assert process.wait(START_SECONDS) == 0, "it does not stop well"


def main() -> None:
    """Replay all, and say how long it took."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as root:
        Path(root).chmod(0o755)
        replay = Replay(Path(root))
        for name, rest in instructions():
            replay.step(name, rest)
        process = replay.start()
        try:
            look(process)
        finally:
            process.kill()
            process.wait()
    print(f"what the Dockerfile makes works: {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
