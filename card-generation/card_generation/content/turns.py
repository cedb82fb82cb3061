"""Who is next: so many at work at the same time, fewer of one user, and each user in turn.

So whoever asks for one thing waits for one of each other user at most, however many these have asked for.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Places for work."""

    def __init__(self, places: int, places_each: int) -> None:
        self._places = places
        self._places_each = places_each
        self._at_work: Counter[str] = Counter()
        # In the order in which users are served; who was served goes to the end.
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def of(self, user_id: str) -> AsyncIterator[None]:
        """Wait for a place, and have it."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(user_id, deque()).append(turn)
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave(user_id)
            raise
        try:
            yield
        finally:
            self._leave(user_id)

    def _leave(self, user_id: str) -> None:
        self._at_work[user_id] -= 1
        self._at_work += Counter()
        self._serve()

    def _serve(self) -> None:
        while self._at_work.total() < self._places:
            may = (user for user in self._waiting if self._at_work[user] < self._places_each)
            user_id = next(may, None)
            if user_id is None:
                return
            queue = self._waiting.pop(user_id)
            turn = queue.popleft()
            if queue:
                self._waiting[user_id] = queue
            if not turn.cancelled():
                self._at_work[user_id] += 1
                turn.set_result(None)
