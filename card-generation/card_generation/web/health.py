"""Says whether the service is up (`/ping`, open to all) and whether it can do its work (`/health`)."""

import asyncio

from fastapi import APIRouter, Request

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
    return Health(status="ok", generator=GeneratorOut(name=info.name, model=info.model))
