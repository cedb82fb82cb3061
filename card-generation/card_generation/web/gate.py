"""Stands before every route: refuses callers without the shared secret, and bodies that are too big.

Written against the ASGI interface, so that a waiting client is passed through untouched. Only
`GET /ping` is open, so that a supervisor can see that the service is up.
"""

import secrets

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from card_generation.limits import MAX_BODY_BYTES, MAX_UPLOAD_BYTES
from card_generation.web.models import error_body

SECRET_HEADER = "x-spacey-secret"  # noqa: S105 the header's name
_UPLOADS = "/content"


class Gate:
    """Lets a request through when it carries the secret, and at most so many bytes."""

    def __init__(self, app: ASGIApp, secret: SecretStr) -> None:
        self._app = app
        self._secret = secret.get_secret_value().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401 or 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not self._may_enter(scope, headers):
            refusal = error_body(f"The header {SECRET_HEADER} is missing or wrong.", "unauthorized")
            await JSONResponse(refusal, status_code=401)(scope, receive, send)
            return
        length = headers.get("content-length", "")
        most = MAX_UPLOAD_BYTES if scope["path"] == _UPLOADS else MAX_BODY_BYTES
        if length.isdigit() and int(length) > most:
            body = error_body(_too_large(most), "body_too_large")
            await JSONResponse(body, status_code=413)(scope, receive, send)
            return
        await self._app(scope, _counted(receive, most), send)

    def _may_enter(self, scope: Scope, headers: Headers) -> bool:
        if scope["method"] == "GET" and scope["path"] == "/ping":
            return True
        offered = headers.get(SECRET_HEADER, "").encode("latin-1")
        return secrets.compare_digest(offered, self._secret)


def _too_large(most: int) -> str:
    return f"The body is longer than {most} bytes."


def _counted(receive: Receive, most: int) -> Receive:
    """Count a body that came without its length, and stop reading at the limit."""
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > most:
            raise HTTPException(413, _too_large(most))
        return message

    return counted
