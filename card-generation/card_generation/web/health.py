"""Says whether the service is up, whether it can do its work, and how much it did.

`/ping` is open to all.
"""

import asyncio

from fastapi import APIRouter, Request, Response

from card_generation import metrics
from card_generation.web.models import GeneratorOut, Health

router = APIRouter()


@router.get("/ping")
async def ping() -> dict[str, str]:
    """Answer as the contract says."""
    return {"ping": "pong!"}


@router.get("/health")
async def health(request: Request) -> Health:
    """Read the store and name the generator; 503 when notes cannot be read."""
    await asyncio.to_thread(request.app.state.store.check)
    info = request.app.state.generator.info
    generator = GeneratorOut(name=info.name, model=info.model)
    return Health(status="ok", generator=generator, keeps_answers=True)


@router.get("/metrics")
async def counted() -> Response:
    """Write what was counted since the start, for Prometheus."""
    return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)
