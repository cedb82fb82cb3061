"""Turns: bounded for all and for each user, and fair between users."""

import asyncio

import pytest

from card_generation.content.turns import Turns

pytestmark = pytest.mark.anyio


class Line:
    """Work that goes on until it is told to end."""

    def __init__(self, places: int, places_each: int) -> None:
        self.turns = Turns(places, places_each)
        self.order: list[str] = []
        self.at_work: list[tuple[str, asyncio.Event]] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def ask(self, user_id: str, count: int = 1) -> None:
        self.tasks += [asyncio.create_task(self._work(user_id)) for _ in range(count)]
        await self.settle()

    async def _work(self, user_id: str) -> None:
        async with self.turns.of(user_id):
            self.order.append(user_id)
            work = (user_id, asyncio.Event())
            self.at_work.append(work)
            try:
                await work[1].wait()
            finally:
                self.at_work.remove(work)

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    async def end_first(self) -> None:
        self.at_work[0][1].set()
        await self.settle()

    def users(self) -> list[str]:
        return sorted(user_id for user_id, _ in self.at_work)


async def test_no_more_than_may_of_one_and_of_all() -> None:
    line = Line(3, 2)
    await line.ask("ann", 3)
    assert line.users() == ["ann", "ann"], "two of one user"
    await line.ask("bob")
    await line.ask("cy")
    assert line.users() == ["ann", "ann", "bob"], "three of all"
    await line.end_first()
    assert line.users() == ["ann", "ann", "bob"], "the third of ann, who asked before cy"
    await line.end_first()
    assert line.users() == ["ann", "bob", "cy"]
    while line.at_work:
        await line.end_first()
    await asyncio.gather(*line.tasks)


async def test_who_asks_for_one_waits_for_one_of_each_other_at_most() -> None:
    line = Line(1, 1)
    await line.ask("ann", 5)
    await line.ask("bob", 2)
    await line.ask("cy")
    while line.at_work:
        await line.end_first()
    assert line.order == ["ann", "ann", "bob", "cy", "ann", "bob", "ann", "ann"]


async def test_who_goes_away_gives_the_place_up() -> None:
    line = Line(1, 1)
    await line.ask("ann", 2)
    await line.ask("bob")
    line.tasks[1].cancel()
    line.tasks[0].cancel()
    await line.settle()
    assert line.order == ["ann", "bob"]
    line.tasks[2].cancel()
    await line.ask("cy")
    assert line.order == ["ann", "bob", "cy"]
    await line.end_first()
    assert line.users() == []


async def test_a_turn_that_comes_while_it_is_called_off_is_not_lost() -> None:
    turns = Turns(1, 1)
    entered: list[str] = []

    async def work(user_id: str) -> None:
        async with turns.of(user_id):
            entered.append(user_id)

    async with turns.of("ann"):
        waiting = asyncio.create_task(work("bob"))
        await asyncio.sleep(0)
    # The place was just given to bob, who has not run since.
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await work("cy")
    assert entered == ["cy"]
