"""Lists that come page by page (distribution-spec § Listing Tags)."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request

from dockerlab.registry.refusals import Refusal

_MOST = 10_000  # names in one answer, whatever is asked


def asked(request: Request, usual: int, most: int = _MOST) -> tuple[int, str]:
    """How many names a request asks for, `usual` if it does not say; and after which one."""
    count = request.query_params.get("n", str(usual))
    if not (count.isascii() and count.isdigit()):
        said = "invalid number of results requested"
        raise Refusal("UNSUPPORTED", {"n": count}, status=400, message=said)
    return min(int(count[:9]), most, _MOST), request.query_params.get("last", "")


def cut(request: Request, names: list[str], count: int) -> tuple[list[str], dict[str, str]]:
    """The first `count` of the names, and a Link to the rest if there is any."""
    page = names[:count]
    if not page or len(page) == len(names):
        return page, {}
    query = urlencode({"last": page[-1], "n": count})
    return page, {"Link": f'<{request.scope["path"]}?{query}>; rel="next"'}
