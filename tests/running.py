"""The course as a learner opens it: `dockerlab --no-browser` in a process of its own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # which is as hard on Windows
_URL = re.compile(r"http://127\.0\.0\.1:(\d+)/\S+")


class Course:
    """A `dockerlab` that has told its `url` and `port`, or has ended ("" and 0 then)."""

    def __init__(self, home: Path, arguments: Sequence[str], until: str, python: str) -> None:
        self.home, self.python = home, python
        self.mine = home.parent / "mine"  # where the learner's copy is, if --dir says so
        surroundings = {key: value for key, value in os.environ.items() if key != "DOCKERLAB_LANG"}
        self.process = subprocess.Popen(
            [python, "-m", "dockerlab", "--no-browser", *arguments],
            env=surroundings | {"DOCKERLAB_HOME": str(home), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        assert self.process.stdout is not None
        self._stream = self.process.stdout
        self.said = ""
        self.hear(until)

    def hear(self, until: str) -> None:
        """Listen until it says that, or ends."""
        for line in self._stream:
            self.said += line
            if until in line:
                break
        found = _URL.search(self.said)
        self.url, self.port = (found[0], int(found[1])) if found else ("", 0)

    def end(self, *signals: int) -> int:
        """Send it signals (none: it ends by itself); its exit status."""
        for number in signals:
            self.process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", number))
        if not self._stream.closed:
            self.said += self._stream.read()
            self._stream.close()
        return self.process.wait(60)

    def command(self, *words: str) -> str:
        """What another `dockerlab …` in the same home prints."""
        command = [self.python, "-m", "dockerlab", *words]
        surroundings = os.environ | {"DOCKERLAB_HOME": str(self.home)}
        done = subprocess.run(command, env=surroundings, stdout=subprocess.PIPE, check=True)
        return done.stdout.decode()

    def hang_up(self) -> None:
        """Take nothing more of what it prints, as a terminal that is closed."""
        self._stream.close()

    def processes(self) -> list[psutil.Process]:
        """Every process that lives in this course's home, `dockerlab` itself included."""
        return [process for process in psutil.process_iter() if self._holds(process)]

    def _holds(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get("DOCKERLAB_HOME") == str(self.home)
        except psutil.Error:
            return False


@contextmanager
def open_course(
    home: Path, *arguments: str, until: str = "Ctrl-C", python: str = sys.executable
) -> Iterator[Course]:
    """A `dockerlab` that has printed `until`, and is surely gone afterwards."""
    course = Course(home, arguments, until, python)
    try:
        yield course
    finally:
        for process in course.processes():
            process.kill()
        course.end()
