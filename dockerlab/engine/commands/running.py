"""`docker run` and `docker create`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockerlab.engine import mounts, ports
from dockerlab.engine.commands.parse import Option, Session, command
from dockerlab.engine.commands.run_flags import RUN
from dockerlab.engine.container import Container
from dockerlab.engine.creation import Settings
from dockerlab.errors import DockerlabError, EngineError, NeedsEngine
from dockerlab.i18n import _
from dockerlab.image.sample import STAND_IN_LABEL

if TYPE_CHECKING:
    from dockerlab.engine.base import Image

_USAGE: dict[str, Any] = {
    "usage": "IMAGE [COMMAND] [ARG...]",
    "arguments": (1, None),
    "interspersed": False,
    "completes": "images",
}
_ONLY_RUN = ("detach", "detach-keys", "sig-proxy")
_PULL_BEFORE_CREATING = 'Pull image before creating ("always", "|missing", "never")'  # sic
_DO_MORE = ("alpine", "nginx")  # of which a greeting is not the whole of what one expects
_PULLS = ("always", "missing", "never")


def _as_create(option: Option) -> Option:
    if option.name != "pull":
        return option
    default = option.help.partition(" (default")[2]
    return replace(option, help=f"{_PULL_BEFORE_CREATING} (default{default}")


@command(
    "container run",
    "run",
    summary="Create and run a new container from an image",
    options=RUN,
    **_USAGE,
)
def run(session: Session, image: str, *words: str, detach: bool, **flags: Any) -> int:
    """`docker run`."""
    if flags["interactive"] and flags["tty"] and not (detach or session.has_terminal):
        raise EngineError("the input device is not a TTY")
    try:
        container = _create(session, image, words, not detach, flags)
    except DockerlabError as error:
        raise _failed("run", error) from None
    engine = session.engine
    for warning in container.told.get("Warnings", ()):
        session.complain(f"WARNING: {warning}")
    if container.kind == "sample":
        _tell_of_stand_in(session, container.image_id)
    if detach:
        session.print(container.id)
    try:
        if not detach:
            return engine.containers.play(container, session.out, session.err)
        engine.containers.start(container)
    except EngineError as error:
        if container.auto_remove:
            with suppress(EngineError):  # a Docker Engine has done so
                engine.remove_container(container.id, volumes=True)
        raise _failed("run", error) from None
    return 0


@command(
    "container create",
    "create",
    summary="Create a new container",
    options=tuple(_as_create(option) for option in RUN if option.name not in _ONLY_RUN),
    **_USAGE,
)
def create(session: Session, image: str, *words: str, **flags: Any) -> None:
    """`docker create`."""
    try:
        session.print(_create(session, image, words, True, flags).id)
    except DockerlabError as error:
        raise EngineError(str(error), getattr(error, "status", 1)) from None


def _create(
    session: Session, image_name: str, words: Sequence[str], attached: bool, flags: dict[str, Any]
) -> Container:
    settings = _settings(image_name, words, attached, flags)
    if settings.cid_file and os.path.exists(settings.cid_file):
        raise EngineError(
            "container ID file found, make sure the other container isn't running or delete "
            f"{settings.cid_file}"
        )
    image = _image(session, image_name, flags["pull"], flags["quiet"], flags["platform"])
    container = session.engine.create(settings, image)
    if settings.cid_file:
        Path(settings.cid_file).write_text(container.id, encoding="utf-8")
    return container


def _tell_of_stand_in(session: Session, image_id: str) -> None:
    stands_for = session.engine.images.find(image_id).labels.get(STAND_IN_LABEL)
    if stands_for in _DO_MORE:
        real = _(
            "The real {name} needs a Docker Engine. "
            "Here runs the course's small stand-in, which only prints a greeting."
        )
        session.complain(real.format(name=stands_for))


def _image(session: Session, name: str, pull: str, quiet: bool, platform: str) -> Image:
    """The image, pulled if it must be; what a pull prints is on standard error."""
    from dockerlab.engine.commands.transfer import parse_platform
    from dockerlab.image.reference import Reference

    images, wanted = session.engine.images, parse_platform(platform)
    if pull == "never":
        return images.find(name)
    if pull == "always":
        say = _silent if quiet else session.complain
        session.engine.pull(Reference.parse(name), say, platform=wanted)
        return images.find(name)
    return images.ensure(name, StringIO() if quiet else session.err, platform=wanted)


def _silent(_line: str) -> None:
    """Where the lines of a quiet pull go."""


def _settings(name: str, words: Sequence[str], attached: bool, flags: dict[str, Any]) -> Settings:
    from dockerlab.image.reference import InvalidReference, Reference

    restart = _restart(flags["restart"])
    if flags["rm"] and restart[0] not in ("", "no"):
        raise EngineError("conflicting options: cannot specify both --restart and --rm")
    if flags["pull"] not in ("", *_PULLS):
        raise EngineError(
            f"invalid pull option: '{flags['pull']}': must be one of "
            '"always", "missing" or "never"'
        )
    bindings = [binding for spec in flags["publish"] for binding in ports.parse(spec)]
    attached_mounts = [mounts.parse(spec) for spec in flags["volume"]]
    attached_mounts += [mounts.parse_long(spec) for spec in flags["mount"]]
    exposed = [binding.container for spec in flags["expose"] for binding in ports.parse(spec)]
    try:
        Reference.parse(name)
    except InvalidReference as error:
        if not _is_id(name):
            raise EngineError(error.docker) from None
    return Settings(
        image_name=name,
        name=flags["name"],
        command=words,
        entrypoint=flags["entrypoint"] or None,
        env=_environment(flags["env"], flags["env_file"]),
        ports=bindings,
        exposed=exposed,
        publish_all=flags["publish_all"],
        volumes=flags["volume"],
        mounts=attached_mounts,
        labels=dict(label.partition("=")[::2] for label in flags["label"]),
        restart=restart,
        auto_remove=flags["rm"],
        hostname=flags["hostname"],
        user=flags["user"],
        workdir=flags["workdir"],
        network=(flags["network"] or ["default"])[-1],
        platform=flags["platform"],
        tty=flags["tty"],
        stdin=flags["interactive"],
        attached=attached,
        cid_file=flags["cidfile"],
    )


def _restart(text: str) -> tuple[str, int]:
    name, colon, count = text.partition(":")
    try:
        return name, int(count) if colon else 0
    except ValueError:
        raise EngineError(
            "invalid restart policy format: maximum retry count must be an integer"
        ) from None


def _environment(given: Sequence[str], files: Sequence[str]) -> list[str]:
    """`NAME=value` for each; a name alone takes the value from around us, if there is one."""
    entries = [line for file in files for line in _lines(file)]
    full = []
    for entry in [*entries, *given]:
        if "=" in entry:
            full.append(entry)
        elif entry in os.environ:
            full.append(f"{entry}={os.environ[entry]}")
    return full


def _lines(file: str) -> list[str]:
    try:
        content = Path(file).read_text(encoding="utf-8")
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise EngineError(f"open {file}: {reason}") from None
    lines = (line.strip() for line in content.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _is_id(name: str) -> bool:
    return len(name) == 64 and all(digit in "0123456789abcdef" for digit in name)


def _failed(name: str, error: DockerlabError) -> EngineError:
    """As the CLI words it; docker's three statuses of its own are 125, 126 and 127."""
    status = getattr(error, "status", 125)
    if not isinstance(error, EngineError) or isinstance(error, NeedsEngine):
        return EngineError(str(error), 125)
    text = f"docker: {error}\n\nRun 'docker {name} --help' for more information"
    return EngineError(text, status if status in (126, 127) else 125, error.hint)
