"""`docker exec`, as far as dockerlab's own engine goes."""

from __future__ import annotations

from dockerlab.engine.commands.parse import Session, command, flag, many, text
from dockerlab.engine.embedded import Embedded
from dockerlab.errors import NeedsEngine


@command(
    "container exec",
    "exec",
    summary="Execute a command in a running container",
    usage="CONTAINER COMMAND [ARG...]",
    options=(
        flag("detach", "d", "Detached mode: run command in the background", support="engine"),
        text(
            "detach-keys",
            "",
            "Override the key sequence for detaching a container",
            support="harmless",
        ),
        many("env", "e", "Set environment variables", support="engine"),
        many("env-file", "", "Read in a file of environment variables", support="engine"),
        flag("interactive", "i", "Keep STDIN open even if not attached", support="harmless"),
        flag("privileged", "", "Give extended privileges to the command", support="harmless"),
        flag("tty", "t", "Allocate a pseudo-TTY", support="harmless"),
        text(
            "user", "u", 'Username or UID (format: "<name|uid>[:<group|gid>]")', support="harmless"
        ),
        text("workdir", "w", "Working directory inside the container", support="engine"),
    ),
    arguments=(2, None),
    interspersed=False,
    completes="running",
)
def execute(session: Session, name: str, *words: str, **_harmless: object) -> int:
    """`docker exec` of a registry's garbage collection; all else takes a Docker Engine."""
    from dockerlab.engine import executing

    engine = session.engine
    if not (isinstance(engine, Embedded) and executing.is_known(words)):
        raise NeedsEngine("docker exec")
    container = engine.containers.find(name)
    done = executing.execute(container, engine.containers.path / container.id, words)
    session.out.write(done.stdout)
    session.err.write(done.stderr)
    return done.returncode
