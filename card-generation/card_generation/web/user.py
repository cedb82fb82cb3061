"""Forgetting a user: an addition to the contract, for when an account is deleted."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request

from card_generation.web.content import Contents
from card_generation.web.notes import UserId

router = APIRouter()


@router.delete("/user")
async def forget(contents: Contents, request: Request, user_id: UserId) -> dict[str, Any]:
    """Delete all notes and contents of a user, of which there may be none."""
    await contents.forget(user_id)
    await asyncio.to_thread(request.app.state.store.forget, user_id)
    return {"message": "success", "status_code": 200}
