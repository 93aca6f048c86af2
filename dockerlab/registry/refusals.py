"""How a registry says no: the codes of the distribution-spec (§ Error Codes), and their bodies."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from dockerlab.errors import DigestMismatch, InvalidDigest
from dockerlab.registry.journal import log

_CODES = {
    "BLOB_UNKNOWN": (404, "blob unknown to registry"),
    "BLOB_UPLOAD_INVALID": (400, "blob upload invalid"),
    "BLOB_UPLOAD_UNKNOWN": (404, "blob upload unknown to registry"),
    "DENIED": (403, "requested access to the resource is denied"),
    "DIGEST_INVALID": (400, "provided digest did not match uploaded content"),
    "MANIFEST_BLOB_UNKNOWN": (400, "blob unknown to registry"),
    "MANIFEST_INVALID": (400, "manifest invalid"),
    "MANIFEST_UNKNOWN": (404, "manifest unknown"),
    "NAME_INVALID": (400, "invalid repository name"),
    "NAME_UNKNOWN": (404, "repository name not known to registry"),
    "SIZE_INVALID": (400, "provided length did not match content length"),
    "TOOMANYREQUESTS": (429, "too many requests"),
    "UNAUTHORIZED": (401, "authentication required"),
    "UNKNOWN": (500, "unknown error"),
    "UNSUPPORTED": (405, "The operation is unsupported."),
}
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


class Refusal(Exception):
    """An answer that is an error: a `code` of the spec, its HTTP status, and what it is about."""

    def __init__(
        self,
        code: str,
        detail: Any = None,
        *,
        status: int | None = None,
        message: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code, detail)
        usual_status, usual_message = _CODES[code]
        self.code, self.detail = code, detail
        self.status = status or usual_status
        self.message = message or usual_message
        self.headers = headers

    def response(self) -> Response:
        """The answer, with the spec's body."""
        error = {"code": self.code, "message": self.message}
        if self.detail is not None:
            error["detail"] = self.detail
        body = json.dumps({"errors": [error]})
        return Response(body, self.status, self.headers, "application/json")


async def refuse(request: Request, error: Exception) -> Response:
    """The answer for any error of a handler; no thread is needed for it."""
    if isinstance(error, OSError):
        log("error", f"{request.method} {request.scope['path']}: {error}")
    return judge(error).response()


def judge(error: Exception) -> Refusal:
    """How a registry says that this happened."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, InvalidDigest):
        return Refusal("DIGEST_INVALID", {"digest": error.text})
    if isinstance(error, DigestMismatch):
        return Refusal("DIGEST_INVALID", {"digest": error.expected, "actual": error.actual})
    if isinstance(error, HTTPException):  # the router's 404 and 405
        return Refusal("UNSUPPORTED", status=error.status_code, headers=error.headers)
    if isinstance(error, OSError) and error.errno == errno.EROFS:
        return Refusal("UNSUPPORTED", message="the registry's folder is read-only")
    if isinstance(error, OSError):
        status = 507 if error.errno in _FULL else 500
        return Refusal("UNKNOWN", status=status, message=os.strerror(error.errno or 0).lower())
    if isinstance(error, ClientDisconnect):
        return Refusal("SIZE_INVALID", status=499, message="the body broke off")
    return Refusal("UNKNOWN")


HANDLERS = dict.fromkeys(
    (Refusal, InvalidDigest, DigestMismatch, HTTPException, OSError, ClientDisconnect, Exception),
    refuse,
)
