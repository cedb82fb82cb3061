"""`python -m card_generation`: reads the settings, serves until told to stop, exits with 0.

A wrong setting, a taken port or an unusable data folder ends the start with status 2 and one line
for each problem on the standard error.
"""

import logging
import os
import signal
import socket
import sys
import time
from types import FrameType

import uvicorn

from card_generation.content.store import ContentStore
from card_generation.errors import StoreError
from card_generation.lifetime import exit_with_parent
from card_generation.notes.store import NoteStore
from card_generation.settings import Settings, SettingsError, load_settings
from card_generation.web.app import create_app

DRAIN_SECONDS = 5
BACKLOG = 256

_log = logging.getLogger("card_generation")


def main() -> int:
    """Run the service; return the exit status."""
    try:
        settings = load_settings(os.environ)
        listener = _listen(settings)
    except SettingsError as error:
        return _refuse(error.problems)
    if settings.exit_with_parent:
        exit_with_parent()
    _exit_cleanly_on_signals()
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # Its lines show whole addresses at this level; ours say what matters.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        store = NoteStore.open(settings.data_dir)
        store.expire(time.time())
        contents = ContentStore.open(settings.data_dir)
    except StoreError as error:
        listener.close()
        return _refuse([f"SPACEY_GENERATION_DATA_DIR: {error.message}"])
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings, store, contents),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )
    host, port = listener.getsockname()[:2]
    _log.info("listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)
    try:
        server.run(sockets=[listener])
    finally:
        store.close()
        contents.close()
    return 0 if server.started else 1


def _listen(settings: Settings) -> socket.socket:
    """Bind the address before anything else starts, so that a taken port is told by its setting's name."""
    host = "127.0.0.1" if settings.host == "localhost" else settings.host
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, settings.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise SettingsError(
            [
                f"SPACEY_GENERATION_HOST {host!r}, SPACEY_GENERATION_PORT {settings.port}: "
                f"cannot listen there ({error.strerror}); accepted: an address of this machine "
                "with a free port, or port 0 for any"
            ]
        ) from error
    return listener


def _exit_cleanly_on_signals() -> None:
    """Uvicorn drains on these signals, then raises them again: by then it is only the wish to exit."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def _refuse(problems: list[str]) -> int:
    for problem in problems:
        print(f"card-generation: {problem}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
