"""Hand a line to the real docker CLI, on the engine that was found."""

from __future__ import annotations

import codecs
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, TextIO

from dockerlab.engine import word
from dockerlab.engine.docker import config, marking
from dockerlab.engine.docker.address import LOCAL, Address

Process = subprocess.Popen[bytes]

_BEAT = 0.2  # seconds; on Windows an interrupt is only seen between two waits
_QUIET = 5  # beats without a word after a program's end, until it has surely said all
_PATIENCE = 1.0  # seconds that Tab waits


def program() -> str | None:
    """The docker CLI of this machine."""
    return word.real()


def stream(words: Sequence[str], address: Address, out: TextIO, stdin: bytes = b"") -> int:
    """Run `docker WORDS` as in a notebook: all that it writes goes to `out` as it comes.

    It has no terminal and reads `stdin` only. An interrupt reaches it; its exit status returns.
    """
    process = subprocess.Popen(
        _marked(words, given := environment(address)),
        env=given,
        stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # so that an interrupt comes once, from here
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )
    if process.stdin:
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(stdin)
    return _follow(process, process.stdout, out, _interrupt)


def attach(words: Sequence[str], address: Address, err: TextIO) -> int:
    """Run `docker WORDS` in this terminal; only what it complains of passes through `err`."""
    given = environment(address)
    process = subprocess.Popen(_marked(words, given), env=given, stderr=subprocess.PIPE)
    return _follow(process, process.stderr, err, lambda _: None)  # the terminal interrupts both


def complete(words: Sequence[str], address: Address) -> list[str]:
    """What the last of `words` may become, as docker itself completes it; nothing if it is slow."""
    try:
        done = subprocess.run(
            [program() or "docker", "__complete", *words],
            env=environment(address),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    found = (
        line.partition("\t")[0] for line in lines if not line.startswith((":", "_activeHelp_"))
    )
    return [word for word in found if word.startswith(words[-1])]


def environment(address: Address) -> dict[str, str]:
    """What makes the CLI talk to that very engine, with the lab's own logins."""
    given = dict(os.environ)
    if given.get("DOCKER_TLS_VERIFY") or given.get("DOCKER_TLS"):
        given.setdefault("DOCKER_CERT_PATH", str(config.learners()))
    given |= {"DOCKER_CONFIG": str(config.prepare()), "DOCKER_CLI_HINTS": "false"}
    if address.origin == "DOCKER_HOST":
        return given
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        given.pop(name, None)
    if address.context:
        return given | {"DOCKER_CONTEXT": address.context}
    usual = address.url == LOCAL
    return given | ({"DOCKER_CONTEXT": "default"} if usual else {"DOCKER_HOST": address.url})


def _marked(words: Sequence[str], given: Mapping[str, str]) -> list[str]:
    """The command for `docker WORDS`; what it cannot mark itself is made before."""
    docker = program() or "docker"
    for line in marking.volumes(words):
        nothing = subprocess.DEVNULL
        subprocess.run([docker, *line], env=given, stdin=nothing, stdout=nothing, stderr=nothing)
    return [docker, *marking.labelled(words)]


def _status(process: Process) -> int:
    """As a shell counts: a program that a signal ended has 128 more."""
    status = process.wait()
    return status if status >= 0 else 128 - status


def _follow(
    process: Process, source: IO[bytes] | None, out: TextIO, interrupt: Callable[[Process], None]
) -> int:
    """Pass on what comes from `source` to the program's end, and return its status."""
    assert source is not None
    pieces: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(source, pieces), daemon=True).start()
    text = codecs.getincrementaldecoder("utf-8")("replace")
    quiet = 0
    while True:
        try:
            piece = pieces.get(timeout=_BEAT)
            quiet = 0
            out.write(text.decode(piece, final=not piece))
            if pieces.empty():
                out.flush()
            if not piece:
                return _status(process)
        except queue.Empty:
            quiet += process.poll() is not None  # its last words may still be on their way
            if quiet == _QUIET:  # what it left running holds the pipe
                return _status(process)
        except KeyboardInterrupt:
            interrupt(process)


def _read(source: IO[bytes], pieces: queue.SimpleQueue[bytes]) -> None:
    with source:
        while piece := os.read(source.fileno(), 1 << 16):
            pieces.put(piece)
    pieces.put(b"")


def _interrupt(process: Process) -> None:
    process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))
