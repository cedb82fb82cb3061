"""The contract's routes about contents. What is absent answers 200 with a code in the body."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.datastructures import UploadFile

from card_generation.content.model import MAX_ANNOTATIONS, Content, SourceType
from card_generation.content.service import ContentService
from card_generation.errors import BadRequestError
from card_generation.limits import MAX_ID_LENGTH
from card_generation.web.models import Success, error_body
from card_generation.web.notes import UserId

router = APIRouter()

ContentId = Annotated[str, Path(min_length=1, max_length=MAX_ID_LENGTH)]
Ids = Annotated[list[str] | None, Query(max_length=1_000)]
Short = Annotated[str, StringConstraints(max_length=2_000)]
Offset = Annotated[int, Field(ge=0, le=10_000_000)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class SourceIn(_Strict):
    """An address or a DOI."""

    source: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


class ReadIn(_Strict):
    """Whether it was read."""

    read_status: bool


class Annotation(_Strict):
    """A part of the content that is marked."""

    start_path: Short
    start_offset: Offset
    end_path: Short
    end_offset: Offset
    color: Annotated[str, StringConstraints(max_length=40)]
    comment: Annotated[str, StringConstraints(max_length=5_000)] | None = None
    text: Annotated[str, StringConstraints(max_length=10_000)]


class AnnotationsIn(_Strict):
    """All annotations of a content."""

    annotations: Annotated[list[Annotation], Field(max_length=MAX_ANNOTATIONS)]


class ContentOut(BaseModel):
    """A content. `problem` is an addition to the contract."""

    id: str
    source_type: str
    processing_status: str
    created_at: str
    title: str
    summary: str
    view_text: str
    storage_ref: str
    source: str
    annotations: list[dict[str, Any]]
    image: str
    read_status: bool
    problem: str | None


def _service(request: Request) -> ContentService:
    service: ContentService = request.app.state.contents
    return service


Contents = Annotated[ContentService, Depends(_service)]


@router.post("/content")
async def add(contents: Contents, request: Request, user_id: UserId) -> Success[ContentOut]:
    """Add an address or DOI as JSON, or a PDF as the part `file` of a form."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        async with request.form(max_files=1, max_fields=1) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise BadRequestError("no_file", "The form has no part named file.")
            content = await contents.add_file(user_id, file.filename or "", await file.read())
        return Success(data=_out(content))
    try:
        source = SourceIn.model_validate_json(await request.body()).source
    except ValidationError as error:
        raise BadRequestError(
            "bad_source", "{source} with an address or a DOI, or a form, is accepted."
        ) from error
    return Success(data=_out(await contents.add_source(user_id, source)))


@router.get("/content")
async def list_contents(contents: Contents, user_id: UserId, ids: Ids = None) -> Success[list[ContentOut]]:
    """List contents: those of the ids, which may be given several times or between commas, or all."""
    wanted = None if ids is None else [one for part in ids for one in part.split(",") if one]
    return Success(data=[_out(content) for content in await contents.listed(user_id, wanted)])


@router.patch("/content/{content_id}")
async def set_read(
    contents: Contents, body: ReadIn, content_id: ContentId, user_id: UserId
) -> dict[str, Any]:
    """Set whether a content was read."""
    return _done(await contents.set_read(user_id, content_id, body.read_status))


@router.put("/content/{content_id}/annotation")
async def annotate(
    contents: Contents, body: AnnotationsIn, content_id: ContentId, user_id: UserId
) -> dict[str, Any]:
    """Replace the annotations of a content."""
    annotations = [annotation.model_dump() for annotation in body.annotations]
    return _done(await contents.annotate(user_id, content_id, annotations))


@router.delete("/content/{content_id}")
async def delete(contents: Contents, content_id: ContentId, user_id: UserId) -> dict[str, Any]:
    """Delete a content with its file."""
    return _done(await contents.delete(user_id, content_id))


@router.get("/content/file/{content_id}")
async def file(contents: Contents, content_id: ContentId, user_id: UserId) -> Response:
    """Answer the PDF of a content."""
    found = await contents.file(user_id, content_id)
    if found is None:
        body = error_body(f"There is no file of a content {content_id!r}.", "content_not_found")
        return JSONResponse(body, status_code=404)
    # It is a stranger's: a browser that gets it must not take it for a page.
    headers = {"content-disposition": "attachment", "x-content-type-options": "nosniff"}
    return Response(found, media_type="application/pdf", headers=headers)


def _done(found: bool) -> dict[str, Any]:
    if found:
        return {"message": "success", "status_code": 200}
    return {"message": "There is no such content.", "status_code": 404}


def _out(content: Content) -> ContentOut:
    return ContentOut(
        id=content.id,
        source_type=content.source_type,
        processing_status=content.status,
        created_at=content.created_at,
        title=content.title,
        summary=content.summary,
        view_text=content.text,
        storage_ref=content.id if content.source_type is SourceType.PDF else "",
        source=content.source,
        annotations=content.annotations,
        image="",
        read_status=content.read,
        problem=content.problem,
    )
