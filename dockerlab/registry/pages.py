"""Lists that come page by page (distribution-spec § Listing Tags)."""

from __future__ import annotations

from bisect import bisect_right
from urllib.parse import urlencode

from starlette.requests import Request

from dockerlab.registry.refusals import Refusal


def cut(
    request: Request, names: list[str], usual: int | None = None
) -> tuple[list[str], dict[str, str]]:
    """The names that follow `last`, at most `n` (else `usual`) of them; and a Link to the rest."""
    asked, last = request.query_params.get("n"), request.query_params.get("last")
    if asked is not None and not (asked.isascii() and asked.isdigit()):
        raise Refusal("PAGINATION_NUMBER_INVALID", {"n": asked})
    count = usual if asked is None else int(asked[:9])
    rest = names[bisect_right(names, last) :] if last else names
    page = rest[:count]
    if not page or len(page) == len(rest):
        return page, {}
    query = urlencode({"last": page[-1], "n": count})
    return page, {"Link": f'<{request.url.path}?{query}>; rel="next"'}
