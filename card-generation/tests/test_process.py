"""The service as a process: how it starts, refuses to start, and ends."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

SECRET = "a-secret-of-the-tests"
START_SECONDS = 20.0

Start = Callable[..., "subprocess.Popen[str]"]

# A parent that starts the service, tells its id, and then waits to be killed.
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-m", "card_generation"])
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def run(*command: str, **environment: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, *(command or ("-m", "card_generation"))],
            env={
                "PYTHONPATH": str(Path(__file__).parent.parent),
                "SPACEY_GENERATION_SECRET": SECRET,
                "SPACEY_GENERATION_DATA_DIR": str(tmp_path / "data"),
                "SPACEY_GENERATION_PORT": "0",
            }
            | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        kill_all(process)
        process.communicate()


def kill_all(process: "subprocess.Popen[str]") -> None:
    """Kill a process and what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def wait_for_address(process: "subprocess.Popen[str]") -> str:
    """Read the log up to the line that tells the address."""
    assert process.stderr is not None
    # Reading has no time limit of its own: when the processes are killed, the log ends.
    limit = threading.Timer(START_SECONDS, kill_all, (process,))
    limit.start()
    try:
        for line in process.stderr:
            if "http://" in line:
                return "http://" + line.split("http://")[1].split()[0]
    finally:
        limit.cancel()
    raise AssertionError("the service ended before it told its address")


def is_gone(pid: int) -> bool:
    """Say whether a process ended; one that nobody reaped yet counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_serves_and_stops_cleanly(start: Start, tmp_path: Path) -> None:
    for stop in (signal.SIGTERM, signal.SIGINT):
        process = start()
        address = wait_for_address(process)
        assert httpx.get(f"{address}/ping").json() == {"ping": "pong!"}
        response = httpx.post(
            f"{address}/notes",
            params={"userID": "ann"},
            headers={"x-spacey-secret": SECRET},
            json={"text": "Osmosis is the movement of water.", "deck_id": "d"},
        )
        assert response.status_code == 200
        process.send_signal(stop)
        assert process.wait(START_SECONDS) == 0
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "data" / "notes.sqlite3").stat().st_mode & 0o077 == 0


def test_ends_with_its_parent(start: Start) -> None:
    parent = start("-c", PARENT, SPACEY_GENERATION_EXIT_WITH_PARENT="1")
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    wait_for_address(parent)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + START_SECONDS
    while not is_gone(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_outlives_its_parent_when_not_told_otherwise(start: Start) -> None:
    parent = start("-c", PARENT)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    address = wait_for_address(parent)
    parent.kill()
    parent.wait()
    time.sleep(1.5)
    assert not is_gone(child)
    assert httpx.get(f"{address}/ping").status_code == 200


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"SPACEY_GENERATION_SECRET": ""}, "SPACEY_GENERATION_SECRET is not set"),
        ({"SPACEY_GENERATION_PORT": "http"}, "SPACEY_GENERATION_PORT has the value 'http'"),
        ({"SPACEY_GENERATION_HOST": "192.0.2.1"}, "SPACEY_GENERATION_HOST has the value '192.0.2.1'"),
        ({"SPACEY_GENERATION_DATA_DIR": "/dev/null/x"}, "SPACEY_GENERATION_DATA_DIR"),
    ],
)
def test_refuses_to_start(start: Start, environment: dict[str, str], told: str) -> None:
    process = start(**environment)
    _, errors = process.communicate(timeout=START_SECONDS)
    assert process.returncode == 2
    assert told in errors
    assert "Traceback" not in errors


def test_a_taken_port_is_named(start: Start) -> None:
    first = start()
    port = wait_for_address(first).rsplit(":", 1)[1]
    second = start(SPACEY_GENERATION_PORT=port)
    _, errors = second.communicate(timeout=START_SECONDS)
    assert second.returncode == 2
    assert f"SPACEY_GENERATION_PORT {port}" in errors


@pytest.mark.parametrize("content", [b"this is no database, but a text of some length " * 40, None])
def test_notes_that_cannot_be_opened(start: Start, tmp_path: Path, content: bytes | None) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    file = folder / "notes.sqlite3"
    if content is None:
        newer = sqlite3.connect(file)
        newer.execute("PRAGMA user_version = 99")
        newer.close()
    else:
        file.write_bytes(content)
    before = file.read_bytes()
    process = start()
    _, errors = process.communicate(timeout=START_SECONDS)
    assert process.returncode == 2
    assert "SPACEY_GENERATION_DATA_DIR" in errors
    assert "Traceback" not in errors
    assert file.read_bytes() == before
