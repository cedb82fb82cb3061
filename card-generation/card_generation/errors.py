"""The failures that a caller of the service is told about.

Each has an HTTP status, a stable code for programs and a message for people. A message never holds
a secret, another user's data, or what an upstream service answered.
"""


class ServiceError(Exception):
    """A refusal or failure with its answer."""

    status = 500
    code = "internal"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NoteNotFoundError(ServiceError):
    """The note does not exist, or is another user's."""

    status = 404
    code = "note_not_found"


class ConflictError(ServiceError):
    """The request contradicts what is stored."""

    status = 409

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class BadRequestError(ServiceError):
    """What was given cannot be used."""

    status = 400

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class InvalidInputError(ServiceError):
    """A member of the request is wrong in a way that only the stored note or the text shows."""

    status = 422
    code = "invalid_input"

    def __init__(self, location: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.location = location


class StoreError(ServiceError):
    """The notes cannot be read or written."""

    status = 503
    code = "store_unavailable"


class UpstreamError(ServiceError):
    """The model's API failed or answered something that cannot be used."""

    status = 502

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UpstreamTimeoutError(UpstreamError):
    """The model's API did not answer in time."""

    status = 504
