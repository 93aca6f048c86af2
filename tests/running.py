"""The course as a learner opens it: `dockerlab --no-browser` in a process of its own."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

_URL = re.compile(r"http://127\.0\.0\.1:(\d+)/\S+")


class Course:
    """A running `dockerlab`; `url` and `port` are None if it ended before it told them."""

    def __init__(self, home: Path, arguments: Sequence[str]) -> None:
        self.home = home
        self.lines: list[str] = []
        surroundings = {key: value for key, value in os.environ.items() if key != "DOCKERLAB_LANG"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dockerlab", "--no-browser", *arguments],
            env=surroundings | {"DOCKERLAB_HOME": str(home), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self._told = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._told.wait(120)
        found = _URL.search(self.said)
        self.url = found[0] if found else ""
        self.port = int(found[1]) if found else 0

    @property
    def said(self) -> str:
        """All that it has printed."""
        return "".join(self.lines)

    def end(self, *signals: int) -> int:
        """Send it signals (none: it ends by itself); its exit status."""
        for number in signals:
            self.process.send_signal(number)
        status = self.process.wait(60)
        self._reader.join(60)
        return status

    def processes(self) -> list[psutil.Process]:
        """Every process that lives in this course's home, `dockerlab` itself included."""
        return [process for process in psutil.process_iter() if self._holds(process)]

    def _holds(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get("DOCKERLAB_HOME") == str(self.home)
        except psutil.Error:
            return False

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                self.lines.append(line)
                if "Ctrl-C" in line:
                    self._told.set()
        self._told.set()


@contextmanager
def open_course(home: Path, *arguments: str) -> Iterator[Course]:
    """A `dockerlab` that is surely gone afterwards."""
    course = Course(home, arguments)
    try:
        yield course
    finally:
        for process in course.processes():
            process.kill()
        course.end()
