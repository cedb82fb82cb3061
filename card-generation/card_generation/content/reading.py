"""Reads what strangers made in a process of its own, which has so much time and memory and no more.

A file that is made to take for ever, or to fill the memory, takes down that process alone: its content
ends as failed. Run as a module it is that process: kind and bytes on its input, what was read on its output.
"""

import asyncio
import json
import resource
import sys
from dataclasses import asdict, dataclass

SECONDS = 30.0
"""How long reading one thing may take, by the clock; of the processor's time it has less."""

MEMORY_BYTES = 512 * 1024 * 1024
"""How much address space reading one thing may take, the interpreter with it."""

_TOO_MUCH_MEMORY = 3


@dataclass(frozen=True, slots=True)
class Bounds:
    """What reading one thing may take."""

    seconds: float = SECONDS
    memory_bytes: int = MEMORY_BYTES


@dataclass(frozen=True, slots=True)
class Read:
    """What was read: the title may be empty, the text is not."""

    title: str
    text: str
    summary: str


BOUNDS = Bounds()
"""What holds when nothing else is said."""


class ReadError(Exception):
    """It cannot be read. The text is for the person."""


async def read(body: bytes, content_type: str, bounds: Bounds | None = None) -> Read:
    """Find title, text and summary within bounds.

    Raises `ReadError`. When it is cancelled, the process is ended.
    """
    bounds = bounds or BOUNDS
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, str(int(bounds.seconds) + 1), str(bounds.memory_bytes)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(bounds.seconds):
            answer, _ = await process.communicate(json.dumps(content_type).encode() + b"\n" + body)
    except TimeoutError as error:
        raise ReadError(f"It takes longer than {bounds.seconds:g} seconds to read.") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == _TOO_MUCH_MEMORY:
        raise ReadError(f"It takes more than {bounds.memory_bytes // 1024 // 1024} MiB of memory to read.")
    if process.returncode != 0:
        # The kernel ended it: for its processor time, most likely, or for memory that it could not get.
        raise ReadError("It takes too much time or memory to read.")
    found = json.loads(answer)
    if "problem" in found:
        raise ReadError(found["problem"])
    return Read(**found)


def main() -> int:
    """Read one thing, within what the arguments say."""
    seconds, memory_bytes = (int(argument) for argument in sys.argv[1:3])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What it reads is no reason to write any file.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # Only here: the service itself reads nothing of a stranger's.
    from card_generation.content.extract import ExtractError, extract, summary_of

    try:
        content_type = json.loads(sys.stdin.buffer.readline())
        extracted = extract(sys.stdin.buffer.read(), content_type)
        found = asdict(Read(extracted.title, extracted.text, summary_of(extracted.text)))
    except ExtractError as error:
        found = {"problem": str(error)}
    except MemoryError:
        return _TOO_MUCH_MEMORY
    sys.stdout.write(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
