"""The network: the internet, the clock that it tells, and proxies in the way."""

from __future__ import annotations

import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, getproxies, proxy_bypass, urlopen

import dockerlab
from dockerlab.doctor.finding import FAULT, OK, WARNING, Finding
from dockerlab.engine.daemon import FIRST
from dockerlab.i18n import _, digits

HUB, PLAIN = "https://registry-1.docker.io/v2/", "http://www.docker.com/"
PATIENCE = 1.4  # seconds for all looks together
_LOCAL = ("localhost", "127.0.0.1")
_CLOSE, _FAR = 60, 300  # seconds


@dataclass
class Answer:
    """What the network said: whether Docker Hub answers, `why` not, and how late our clock is.

    `late` is in seconds; None if nobody told the time.
    """

    hub: bool = False
    why: str = ""
    late: float | None = None


class Looks:
    """Looks at the internet while other things are done."""

    def __init__(self, hub: str = HUB, plain: str = PLAIN) -> None:
        self._answer, self._deadline = Answer(), 0.0
        looks = ((self._look_at_hub, hub), (self._look_at_clock, plain))
        self._threads = [
            threading.Thread(target=look, args=(url,), daemon=True) for look, url in looks
        ]

    def __enter__(self) -> Looks:
        self._deadline = time.monotonic() + PATIENCE
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """The threads end with the program."""

    def answer(self) -> Answer:
        """What came in time."""
        for thread in self._threads:
            thread.join(max(0.0, self._deadline - time.monotonic()))
        return Answer(self._answer.hub, self._answer.why, self._answer.late)

    def _look_at_hub(self, url: str) -> None:
        try:
            with suppress(HTTPError):  # it wants a login: it is there
                urlopen(Request(url, method="HEAD"), timeout=PATIENCE).close()
            self._answer.hub = True
        except URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                self._answer.why = error.reason.verify_message
        except (OSError, ValueError):
            pass

    def _look_at_clock(self, url: str) -> None:
        with suppress(OSError, ValueError, TypeError):
            try:
                with urlopen(Request(url, method="HEAD"), timeout=PATIENCE) as answer:
                    date = answer.headers["Date"]
            except HTTPError as error:
                date = error.headers["Date"]
            self._answer.late = parsedate_to_datetime(date).timestamp() - time.time()


def internet(answer: Answer) -> Finding:
    """Whether Docker Hub can be reached; the lessons work all the same."""
    label = _("Internet")
    if answer.hub:
        return Finding("internet", label, OK, _("Docker Hub answers"))
    value = _("Docker Hub does not answer")
    value += f" ({answer.why})" if answer.why else ""
    fix = _(
        "Everything in the lessons works but the real Docker Hub itself; on the course's own "
        "engine a small stand-in plays it, and on a Docker Engine: dockerlab hub."
    )
    return Finding("internet", label, WARNING, value, fix)


def clock(answer: Answer) -> Finding:
    """Whether the clock is right, as far as anybody here can tell."""
    package = Path(dockerlab.__file__)
    return judge_clock(answer.late, time.time() - package.stat().st_mtime)


def judge_clock(late: float | None, age: float) -> Finding:
    """`late`: by how many seconds the clock is behind; `age`: seconds since we were installed."""
    label = _("Clock")
    fix = _("Set the clock: with a wrong one, certificates (TLS) are refused.")
    if late is None and age < -_FAR:
        value = _("wrong: dockerlab was installed later than it says")
        return Finding("clock", label, FAULT, value, fix)
    if late is None:
        value = _("not compared, as there is no internet")
        look = _("Look at it yourself: with a wrong clock, certificates (TLS) are refused.")
        return Finding("clock", label, WARNING, value, look)
    if abs(late) <= _CLOSE:
        return Finding("clock", label, OK, _("right"))
    minutes = digits(round(abs(late) / 60))
    value = _("{minutes} minutes behind") if late > 0 else _("{minutes} minutes ahead")
    state = FAULT if abs(late) > _FAR else WARNING
    return Finding("clock", label, state, value.format(minutes=minutes), fix)


def proxy() -> Finding:
    """Whether a proxy would catch what is meant for this machine."""
    label, proxies = _("Proxy"), getproxies()
    caught = [name for name in _LOCAL if not proxy_bypass(name)]
    found = proxies.get("http") or proxies.get("all") or ""
    if not found:
        return Finding("proxy", label, OK, _("none for this machine's own addresses"))
    found = found.rpartition("@")[2]  # without a password
    if not caught:
        return Finding("proxy", label, OK, _("{proxy}, not for localhost").format(proxy=found))
    value = _("{proxy} would get what is meant for {names}")
    fix = _("Set NO_PROXY={names} (and no_proxy), and start dockerlab again.")
    return Finding(
        "proxy",
        label,
        FAULT,
        value.format(proxy=found, names=", ".join(caught)),
        fix.format(names=",".join((*_LOCAL, "::1", FIRST))),
    )
