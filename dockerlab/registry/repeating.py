"""How anybody can ask a registry the same again: a line for a shell, and a few for Python.

There is no secret in them: a user types her own name and password.
"""

from __future__ import annotations

import json
import re
import shlex
from urllib.parse import quote

from dockerlab.registry.exchange import HIDDEN, Exchange
from dockerlab.registry.failures import is_loopback

_KEPT = ("accept", "content-type", "range")  # headers that change the answer
_ONCE = re.compile(r"/v2/.+/blobs/uploads/.")  # an address that ends with its upload
_BLOB = re.compile(r"/v2/.+/blobs/[a-z0-9]+:")


def can_repeat(exchange: Exchange) -> bool:
    """Whether it means something to send this once more, and all of it is known."""
    whole = len(exchange.request.body.encode()) == exchange.sent
    return whole and not _ONCE.match(exchange.path) and HIDDEN not in exchange.query


def curl(exchange: Exchange) -> str:
    """A line for a shell; curl asks for the password."""
    words = ["curl", "--head" if exchange.method == "HEAD" else "--include"]
    if exchange.method not in ("GET", "HEAD"):
        words += ["--request", exchange.method]
    if _careless(exchange):
        words.append("--insecure")
    if _signed(exchange) == "Basic":
        words += ["--user", "USER"]
    for name, value in _headers(exchange).items():
        words += ["--header", f"{name}: {value}"]
    if exchange.request.body:
        words += ["--data-binary", exchange.request.body]
    if exchange.method == "GET" and _BLOB.match(exchange.path):
        words += ["--output", "blob"]
    return shlex.join([*words, _url(exchange)])


def python(exchange: Exchange) -> str:
    """A few lines of Python with httpx; they ask for the password."""
    basic = _signed(exchange) == "Basic"
    lines = ["import getpass", ""] if basic else []
    lines += ["import httpx", "", "answer = httpx.request("]
    lines += [f"    {json.dumps(exchange.method)},", f"    {json.dumps(_url(exchange))},"]
    if headers := _headers(exchange):
        lines.append(f"    headers={json.dumps(headers)},")
    if exchange.request.body:
        lines.append(f"    content={json.dumps(exchange.request.body)}.encode(),")
    if basic:
        lines.append('    auth=("USER", getpass.getpass()),')
    if _careless(exchange):
        lines.append("    verify=False,")
    shown = "len(answer.content)" if _BLOB.match(exchange.path) else "answer.text"
    return "\n".join([*lines, ")", "print(answer.status_code, answer.headers)", f"print({shown})"])


def _url(exchange: Exchange) -> str:
    path = quote(exchange.path, safe="/:~@!$&'()*+,;=")
    query = f"?{exchange.query}" if exchange.query else ""
    return f"{exchange.scheme}://{exchange.host}{path}{query}"


def _signed(exchange: Exchange) -> str:
    """Which kind of login went along."""
    for name, value in exchange.request.headers:
        if name.lower() == "authorization":
            return value.partition(" ")[0].title()
    return ""


def _headers(exchange: Exchange) -> dict[str, str]:
    sent = exchange.request.headers
    found = {name: value for name, value in sent if name.lower() in _KEPT and value != "*/*"}
    if _signed(exchange) == "Bearer":
        found["Authorization"] = "Bearer TOKEN"
    return found


def _careless(exchange: Exchange) -> bool:
    """On this machine any certificate is good enough, as for docker."""
    return exchange.scheme == "https" and is_loopback(exchange.host)
