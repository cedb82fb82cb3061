"""Ends the process when the process that started it is gone.

The parent's id is watched from a thread. The kernel's own signal at a parent's death (prctl) is not
used: it fires when the *thread* that started the child ends, which a thread pool does at any time.
"""

import os
import signal
import threading

POLL_SECONDS = 0.5
GRACE_SECONDS = 10.0


def exit_with_parent() -> None:
    """Watch the present parent; once it is gone ask this process to stop, and later insist."""
    threading.Thread(target=_watch, args=(os.getppid(),), name="parent-watch", daemon=True).start()


def _watch(parent: int) -> None:
    pause = threading.Event()
    while os.getppid() == parent:
        pause.wait(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    pause.wait(GRACE_SECONDS)
    os._exit(1)
