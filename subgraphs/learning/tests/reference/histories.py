"""Histories of reviews with what `fsrs` from PyPI, the reference in Python, makes of them.

Without an argument it prints them, for histories.txt; with --check it compares that file with what the installed package gives.
Everything is drawn from a fixed seed. A line is: how the card is learned (retention, longest interval, learning and relearning steps in
seconds), the reviews as day:rating, and then state, step, interval in seconds, stability and difficulty after the last one.
"""

import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fsrs import Card, Rating, Scheduler

SEED = 20_260_301
HISTORIES = 10_000
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
STEPS = [(60, 600), (60, 600), (60, 600), (), (300,), (60, 600, 3600)]


def history(chance: random.Random) -> str:
    """One history: some reviews, most of them about when the card is due, some on the same day."""
    retention = chance.choice([0.9, 0.9, 0.7, 0.8, 0.85, 0.95, 0.99])
    longest = chance.choice([36_500, 36_500, 365, 30])
    learning, relearning = (
        chance.choice(STEPS),
        chance.choice([(600,), (600,), (), (120, 900)]),
    )
    scheduler = Scheduler(
        desired_retention=retention,
        learning_steps=[timedelta(seconds=step) for step in learning],
        relearning_steps=[timedelta(seconds=step) for step in relearning],
        maximum_interval=longest,
        enable_fuzzing=False,
    )
    card, day, reviews = Card(due=START), 0, []
    at = START
    for nth in range(chance.randint(1, 14)):
        if nth > 0:
            days = (card.due - at).days
            late = chance.choice([0, 0.5, 1, 1, 1, 1.3, 2])
            day += round(days * late) if days > 0 else chance.choice([0, 0, 1])
        # A second later each time, so that days between reviews are whole.
        at = START + timedelta(days=day, seconds=nth)
        rating = chance.choices([1, 2, 3, 4], [2, 2, 6, 2])[0]
        card, _ = scheduler.review_card(card, Rating(rating), at)
        reviews.append(f"{day}:{rating}")
        # Beyond 36,500 days the crate keeps a stability as it is, and the reference does not.
        if (card.stability or 0) > 36_000:
            return history(chance)
    interval = round((card.due - at).total_seconds())
    rules = f"{retention} {longest} {seconds(learning)} {seconds(relearning)}"
    after = f"{card.state.name} {card.step or 0} {interval} {card.stability:.4f} {card.difficulty:.4f}"
    return f"{rules} {','.join(reviews)} {after}"


def seconds(steps: tuple[int, ...]) -> str:
    """Steps as one word."""
    return ",".join(map(str, steps)) or "-"


def same(ours: str, theirs: str) -> bool:
    """Whether two lines say the same, numbers to four decimals."""
    left, right = ours.split(), theirs.split()
    if left[:-2] != right[:-2]:
        return False
    pairs = zip(left[-2:], right[-2:], strict=True)
    return all(abs(float(a) - float(b)) <= 1.01e-4 for a, b in pairs)


def main() -> int:
    """Print, or check."""
    chance = random.Random(SEED)
    lines = [history(chance) for _ in range(HISTORIES)]
    if sys.argv[1:] != ["--check"]:
        print("\n".join(lines))
        return 0
    stored = (Path(__file__).parent / "histories.txt").read_text().splitlines()
    wrong = [(a, b) for a, b in zip(stored, lines, strict=True) if not same(a, b)]
    for ours, theirs in wrong[:10]:
        print(f"stored    {ours}\nreference {theirs}", file=sys.stderr)
    print(
        f"{len(lines) - len(wrong)} of {len(lines)} histories are as the reference has them"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
