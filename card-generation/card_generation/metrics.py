"""What is counted for whoever watches the service, as Prometheus reads it. Nothing of it names a person."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from card_generation.errors import ServiceError
from card_generation.generation.model import Generation

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_REGISTRY = CollectorRegistry()
_AT_WORK = Gauge("card_generation_at_work", "Generations at work.", ["generator"], registry=_REGISTRY)
_SECONDS = Histogram(
    "card_generation_seconds",
    "How long generations took, by how they ended: ok, called_off, or an error's code.",
    ["generator", "outcome"],
    buckets=(0.01, 0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600),
    registry=_REGISTRY,
)
_CARDS = Counter("card_generation_cards", "Cards that were made.", ["generator"], registry=_REGISTRY)
_REJECTED = Counter(
    "card_generation_rejected", "Cards that were left out.", ["generator", "reason"], registry=_REGISTRY
)


@contextmanager
def generating(generator: str) -> Iterator[None]:
    """Count a generation that is at work, and how long it took."""
    outcome = "internal"
    started = time.monotonic()
    with _AT_WORK.labels(generator).track_inprogress():
        try:
            yield
            outcome = "ok"
        except ServiceError as error:
            outcome = error.code
            raise
        except asyncio.CancelledError:
            outcome = "called_off"
            raise
        finally:
            _SECONDS.labels(generator, outcome).observe(time.monotonic() - started)


def count(generation: Generation) -> None:
    """Count what came of a generation."""
    name = generation.generator.name
    _CARDS.labels(name).inc(len(generation.drafts))
    for reason, number in generation.rejected.items():
        _REJECTED.labels(name, str(reason)).inc(number)


def exposition() -> bytes:
    """Write everything that was counted."""
    return generate_latest(_REGISTRY)
