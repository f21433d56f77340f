"""The errors of this module: what went wrong, in a word that programs can rely on.

Every error has a `code` (stable, snake_case: problem documents, logs), a `status` (the HTTP
status that a caller of our API sees) and a message for people. `retryable` says whether the
same call may succeed later without anybody changing anything.
"""

from collections.abc import Mapping


class ModuleError(Exception):
    """The base of all errors that this module raises on purpose."""

    code = "error"
    status = 500
    title = "Something went wrong"
    retryable = False
    retry_after_seconds: int | None = None  # when that may be, where it is known
    extra: Mapping[str, object] = {}  # further members of the problem document

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        super().__init__(message or self.title)
        if code is not None:
            self.code = code


class ConfigurationError(ModuleError):
    """The environment cannot be used; `problems` names every fault, one line each."""

    code = "bad_configuration"
    title = "The configuration cannot be used"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class BadRequest(ModuleError):
    """What the caller sent cannot be understood."""

    code = "bad_request"
    status = 400
    title = "The request cannot be understood"


class Invalid(ModuleError):
    """The request is well formed, but a value in it is not allowed."""

    code = "invalid"
    status = 422
    title = "A value is not allowed"


class Unauthenticated(ModuleError):
    """Nobody is logged in, or the token is not valid (any more)."""

    code = "unauthenticated"
    status = 401
    title = "Log in first"


class Forbidden(ModuleError):
    """The caller is known, or has decided, and may not have this."""

    code = "forbidden"
    status = 403
    title = "Not allowed"


class NotFound(ModuleError):
    """There is no such thing."""

    code = "not_found"
    status = 404
    title = "There is no such thing"


class MethodNotAllowed(ModuleError):
    """The address is there, but not for this method."""

    code = "method_not_allowed"
    status = 405
    title = "The method is not allowed"

    def __init__(self, allowed: str) -> None:
        super().__init__(f"Allowed here: {allowed}")
        self.allowed = allowed


class Conflict(ModuleError):
    """The thing is in a state that does not allow this."""

    code = "conflict"
    status = 409
    title = "Not possible in this state"


class TooLarge(ModuleError):
    """The body is larger than allowed."""

    code = "too_large"
    status = 413
    title = "The body is too large"


class HeadersTooLarge(ModuleError):
    """The headers, or the cookies among them, are larger than any client of this API needs."""

    code = "headers_too_large"
    status = 431
    title = "The headers are too large"


class TooSlow(ModuleError):
    """The request has not come to its end in time."""

    code = "too_slow"
    status = 408
    title = "The request took too long"


class TooManyRequests(ModuleError):
    """The caller has asked too often; `retry_after_seconds` says when he may again."""

    code = "too_many_requests"
    status = 429
    title = "Too many tries"
    retryable = True

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class MessageRefused(ModuleError):
    """A webhook message that is not Twitch's, or not fresh; `code` says which check failed."""

    code = "bad_signature"
    status = 403
    title = "The message is refused"


class Unavailable(ModuleError):
    """A part that is needed does not answer in time; the same request may work in a moment."""

    code = "unavailable"
    status = 503
    title = "Not available right now"
    retryable = True
    retry_after_seconds = 2


class Busy(Unavailable):
    """Too many others are being served."""

    code = "busy"
    title = "Too many requests at once"


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached, is locked, full or too slow."""

    code = "database_unavailable"
    title = "The database does not answer"


class TwitchUnavailable(Unavailable):
    """Twitch does not answer, or answers with an error of its own."""

    code = "twitch_unavailable"
    status = 502
    title = "Twitch does not answer"


class TwitchRefused(ModuleError):
    """Twitch says no; the message is Twitch's own, `twitch_status` its HTTP status."""

    code = "twitch_refused"
    status = 502
    title = "Twitch refused the call"

    def __init__(self, message: str, *, twitch_status: int) -> None:
        super().__init__(message)
        self.twitch_status = twitch_status


class RateLimited(TwitchUnavailable):
    """Twitch takes no more calls for a while; `seconds` says for how long."""

    code = "twitch_rate_limit"
    title = "Twitch's rate limit is used up"

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class CallFailed(ModuleError):
    """An HTTP call out brought no complete answer: refused, reset, too slow or too large."""

    code = "call_failed"
    status = 502
    title = "A call to another service failed"
    retryable = True
