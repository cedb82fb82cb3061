"""Puts the service together: generator, notes, gate, routes, and one form for every error."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from card_generation.content.fetch import Fetcher
from card_generation.content.service import ContentService
from card_generation.content.store import ContentStore
from card_generation.errors import InvalidInputError, ServiceError
from card_generation.generation.model import CardGenerator
from card_generation.generation.offline.generator import OfflineGenerator
from card_generation.generation.openai import OpenAiGenerator
from card_generation.notes.service import NoteService
from card_generation.notes.store import NoteStore
from card_generation.settings import Settings
from card_generation.web import content, health, notes, user
from card_generation.web.gate import Gate
from card_generation.web.models import error_body, invalid_body

_log = logging.getLogger(__name__)

_CODES = {
    400: "bad_request",
    404: "route_not_found",
    405: "method_not_allowed",
    413: "body_too_large",
}


def create_app(
    settings: Settings, store: NoteStore, contents: ContentStore, fetcher: Fetcher | None = None
) -> FastAPI:
    """Make the application on stores, which the caller closes after it."""
    generator: CardGenerator = (
        OfflineGenerator() if settings.model is None else OpenAiGenerator(settings.model)
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        _log.info("cards are made by %s, model %s", generator.info.name, generator.info.model)
        service = ContentService(contents, fetcher or Fetcher())
        _app.state.contents = service
        await service.resume()
        yield
        await service.close()
        await generator.close()

    app = FastAPI(title="Card generation", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.store = store
    app.state.generator = generator
    app.state.notes = NoteService(store, generator, settings.concurrency)
    app.include_router(health.router)
    app.include_router(notes.router)
    app.include_router(content.router)
    app.include_router(user.router)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ServiceError, _failed)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _unexpected)
    app.add_middleware(Gate, secret=settings.secret)
    return app


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    """Name each wrong member. What was sent is left out: it may be long, or not even be valid text."""
    if not isinstance(error, RequestValidationError):
        raise error
    detail = [{"loc": e["loc"], "msg": e["msg"], "type": e["type"]} for e in error.errors()]
    # A member's name is the caller's, too, and may hold half a surrogate pair.
    printable = [{**d, "loc": [_printable(part) for part in d["loc"]]} for d in detail]
    return JSONResponse({"detail": printable}, status_code=422)


def _printable(part: str | int) -> str | int:
    return part if isinstance(part, int) else part.encode("utf-8", "replace").decode()


async def _failed(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, ServiceError):
        raise error
    if isinstance(error, InvalidInputError):
        body = invalid_body(error.location, error.message, error.code)
        return JSONResponse(body, status_code=error.status)
    if error.status >= 500:
        _log.warning("%s: %s (%r)", error.code, error.message, error.__cause__)
    return JSONResponse(error_body(error.message, error.code), status_code=error.status)


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    code = _CODES.get(error.status_code, "bad_request")
    return JSONResponse(error_body(error.detail, code), error.status_code, headers=error.headers)


async def _unexpected(_request: Request, _error: Exception) -> JSONResponse:
    """Show a fixed text; the server logs the error itself."""
    return JSONResponse(error_body("The service failed; its log says why.", "internal"), 500)
