"""What can go wrong, as exceptions that carry facts; the words are chosen when they are shown.

DockerlabError
├── InvalidReference (ValueError)    a name breaks the grammar            image.reference
├── InvalidDigest (ValueError)       not algorithm:hex
├── InvalidManifest (ValueError)     not JSON, or not a manifest
├── DigestMismatch                   the bytes are not those the digest names
├── SizeMismatch                     more or fewer bytes than the descriptor promises
├── LayoutError                      a folder is no OCI layout, or is broken
├── BlobMissing                      a blob that should be there is not
├── BadArchive                       a file holds no image that the hub can offer
├── PortTaken                        another program listens on the port of the hub
├── NoPlatform                       an index has no image for this machine
├── RegistryError                    a registry said no
│   ├── Unauthorized                 401, 403
│   ├── NotFound                     404
│   └── Unavailable                  no connection, or it broke and did not come back
│       └── PlainHTTP                HTTPS was asked for, HTTP came back
├── BadName (ValueError)             no certificate can be made for a host of that name
├── BadLogin (ValueError)            no htpasswd file can hold such a user or password
├── BadRegistry (ValueError)         no registry can be reached by that address
├── NoRegistry                       the lab has no registry, or none of that name
├── NoAuthority                      there is no certificate of an authority in that file
├── CannotWrite                      a file or folder that the learner named cannot be written
├── NotOurs                          the learner's own thing has a name that the lab needs
├── Cancelled                        the learner wanted no more of it
├── UnknownEngine                    DOCKERLAB_ENGINE asks for one that there is not
└── EngineError                      docker's own words and exit status      engine
    ├── Unreachable                  no Docker Engine answers (any more)
    ├── NeedsCLI                     docker's command line can do it, and is not installed
    └── NeedsEngine                  only a Docker Engine can do it
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence

from dockerlab.i18n import _


class DockerlabError(Exception):
    """Anything that dockerlab reports to a learner."""

    def __str__(self) -> str:
        return self.message()

    def message(self) -> str:
        """What happened, in the learner's language."""
        return " ".join(str(fact) for fact in self.args)


class InvalidDigest(DockerlabError, ValueError):
    """`text` is not a digest such as `sha256:…`."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def message(self) -> str:
        return _("Not a digest: “{text}”. A digest looks like sha256: and 64 hex digits.").format(
            text=self.text
        )


class InvalidManifest(DockerlabError, ValueError):
    """`reason` (English, technical) says what is wrong with a manifest."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def message(self) -> str:
        return _("Not a manifest: {reason}.").format(reason=self.reason)


class DigestMismatch(DockerlabError):
    """The content has digest `actual`, not `expected`."""

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(expected, actual)
        self.expected, self.actual = expected, actual

    def message(self) -> str:
        return _(
            "The content does not match its digest: expected {expected}, got {actual}."
        ).format(expected=self.expected, actual=self.actual)


class SizeMismatch(DockerlabError):
    """Blob `digest` should have `expected` bytes and has `actual`."""

    def __init__(self, digest: str, expected: int, actual: int) -> None:
        super().__init__(digest, expected, actual)
        self.digest, self.expected, self.actual = digest, expected, actual

    def message(self) -> str:
        return _("{digest} should have {expected} bytes and has {actual}.").format(
            digest=self.digest, expected=self.expected, actual=self.actual
        )


class LayoutError(DockerlabError):
    """The OCI layout at `path` cannot be used; `reason` is English and technical."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(str(path), reason)
        self.path, self.reason = str(path), reason

    def message(self) -> str:
        return _("The image folder {path} cannot be used: {reason}.").format(
            path=self.path, reason=self.reason
        )


class BlobMissing(DockerlabError):
    """Blob `digest` is not where it should be."""

    def __init__(self, digest: str) -> None:
        super().__init__(digest)
        self.digest = digest

    def message(self) -> str:
        return _("The blob {digest} is missing.").format(digest=self.digest)


class BadArchive(DockerlabError):
    """The file at `path` holds no image for the hub; `reason` is English and technical."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(str(path), reason)
        self.path, self.reason = str(path), reason

    def message(self) -> str:
        return _(
            "{path} has no image that the hub can offer: {reason}. "
            "Make such a file with docker save -o FILE IMAGE."
        ).format(path=self.path, reason=self.reason)


class PortTaken(DockerlabError):
    """Another program listens on `port` already."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.port = port

    def message(self) -> str:
        return _(
            "Port {port} is taken, maybe by a “dockerlab hub” in another terminal. "
            "End that one, or choose another port with --port."
        ).format(port=self.port)


class NoPlatform(DockerlabError):
    """An index has no image for `platform`; `detail` in docker's words."""

    def __init__(self, platform: object) -> None:
        super().__init__(str(platform))
        self.platform = str(platform)
        self.detail = f"no matching manifest for {platform} in the manifest list entries"

    def message(self) -> str:
        return _("There is no image for {platform} here: {detail}.").format(
            platform=self.platform, detail=self.detail
        )


class RegistryError(DockerlabError):
    """A registry's answer: HTTP `status`, the spec's error `code` and its message, `detail`."""

    facts: object = None  # what the spec calls the error's detail: any JSON
    of_token = False  # it came of asking for a token, which the registry wants

    def __init__(
        self, status: int, code: str, detail: str, *, method: str = "", url: str = ""
    ) -> None:
        super().__init__(status, code, detail)
        self.status, self.code, self.detail = status, code, detail
        self.method, self.url = method, url

    def message(self) -> str:
        return _("The registry answered {method} {url} with {status} {code}: {detail}.").format(
            method=self.method, url=self.url, status=self.status, code=self.code, detail=self.detail
        )


class Unauthorized(RegistryError):
    """The registry wants a login, or another one (401, 403)."""

    challenge = ""  # the WWW-Authenticate header: which kind of login
    signed = False  # whether a login went along


class NotFound(RegistryError):
    """The registry does not have it (404)."""


class Unavailable(RegistryError):
    """No answer: refused, unknown host, timed out, or broken off; `detail` in Go's words."""

    def __init__(self, detail: str, *, method: str = "", url: str = "") -> None:
        super().__init__(0, "UNAVAILABLE", detail, method=method, url=url)

    def message(self) -> str:
        return _("No answer from {url}: {detail}.").format(url=self.url, detail=self.detail)


class PlainHTTP(Unavailable):
    """A registry on a name that is not loopback speaks HTTP where HTTPS is required."""

    def __init__(self, *, method: str = "", url: str = "") -> None:
        detail = "http: server gave HTTP response to HTTPS client"
        super().__init__(detail, method=method, url=url)


class BadName(DockerlabError, ValueError):
    """No certificate can be made for `names`."""

    def __init__(self, names: Sequence[object]) -> None:
        super().__init__(*names)
        self.names = names

    def message(self) -> str:
        return _(
            "No certificate can be made for “{names}”. It needs names of hosts, or IP addresses, "
            'without a port: lab.certificate("localhost", "192.168.56.100").'
        ).format(names=", ".join(map(str, self.names)))


class BadLogin(DockerlabError, ValueError):
    """An htpasswd file cannot hold the login of `user`; the password is not told."""

    def __init__(self, user: str) -> None:
        super().__init__(user)
        self.user = user

    def message(self) -> str:
        return _(
            "There can be no login “{user}” with this password. A user's name is not empty and has "
            "no colon in it; a password has 1 to 72 bytes."
        ).format(user=self.user)


class BadRegistry(DockerlabError, ValueError):
    """`text` is not HOST:PORT."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def message(self) -> str:
        return _(
            "“{text}” is no address of a registry; write it as in an image's name: "
            "192.168.56.100:5000."
        ).format(text=self.text)


class NoRegistry(DockerlabError):
    """No container called `name` is a registry; without a name, none at all. `others` are."""

    def __init__(self, name: str, others: Sequence[str] = ()) -> None:
        super().__init__(name, *others)
        self.name, self.others = name, others

    def message(self) -> str:
        if self.others:
            said = _("No registry here is called “{name}”. There is: {others}.")
        else:
            said = _(
                "There is no registry here. Start one first: docker run -d -p 5000:5000 "
                "--name registry registry:2"
            )
        return said.format(name=self.name, others=", ".join(self.others))


class NoAuthority(DockerlabError):
    """The file at `path` should hold an authority's certificate, and does not."""

    def __init__(self, path: object) -> None:
        super().__init__(str(path))
        self.path = str(path)

    def message(self) -> str:
        return _(
            "{path} is no certificate of an authority. lab.certificate(…) makes one, in the "
            "folder certs."
        ).format(path=self.path)


class CannotWrite(DockerlabError):
    """Nothing can be put at `path`; `number` is the errno that says why."""

    def __init__(self, path: object, number: int | None) -> None:
        super().__init__(str(path), number)
        self.path, self.number = str(path), number

    def message(self) -> str:
        return _("{path} cannot be written: {reason}.").format(
            path=self.path, reason=why(self.number)
        )


class NotOurs(DockerlabError):
    """The learner has a `kind` ("container", "image") of her own by the name that the lab needs."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(kind, name)
        self.kind, self.name = kind, name

    def message(self) -> str:
        if self.kind == "container":
            said = _(
                "You have a container of your own called {name}, and this lesson needs that name. "
                "The lab leaves yours alone: give it another name (docker rename {name} my-{name}) "
                "and run this cell again."
            )
        else:
            said = _(
                "You have an image of your own called {name}, and this lesson needs that name. "
                "The lab leaves yours alone: give it another name (docker image tag {name} "
                "mine/{name}, then docker image rm {name}) and run this cell again."
            )
        return said.format(name=self.name)


class Cancelled(DockerlabError):
    """A push or a pull ended because that was asked for."""


class UnknownEngine(DockerlabError):
    """DOCKERLAB_ENGINE asks for the engine `name`, and there is none of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def message(self) -> str:
        return _(
            "DOCKERLAB_ENGINE asks for the engine “{name}”, and there is no such engine. Set it to "
            "docker or embedded, or take it away."
        ).format(name=self.name)


class EngineError(DockerlabError):
    """`text` is what docker prints, in docker's words; `status` is its exit status.

    `hint` is a line for the learner, in her language, to be shown below; or "".
    """

    def __init__(self, text: str, status: int = 1, hint: str = "") -> None:
        super().__init__(text)
        self.text, self.status, self.hint = text, status, hint

    def message(self) -> str:
        return self.text


class NeedsEngine(EngineError):
    """docker can do `text` (a command, a flag), and dockerlab's own engine cannot."""

    def message(self) -> str:
        return _(
            "“{command}” needs a Docker Engine. This lab runs on dockerlab's own engine, which "
            "runs registries and the course's sample images only."
        ).format(command=self.text)


class NeedsCLI(EngineError):
    """docker's command line can do `text`, and it is not here; the engine is."""

    def message(self) -> str:
        return _(
            "“{command}” needs docker's own command line, which is not installed here. Without it, "
            "the lab speaks to your Docker Engine itself, and knows the commands of the lessons."
        ).format(command=self.text)


class Unreachable(EngineError):
    """The Docker Engine at `address` does not answer (any more)."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"Cannot connect to the Docker daemon at {address}. Is the docker daemon running?"
        )
        self.address = address


def why(number: int | None) -> str:
    """What an errno means to someone who wants to write a file; in English if it is a rare one."""
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return _("you may not write there")
    if number == errno.ENOENT:
        return _("there is no such folder")
    if number in (errno.ENOSPC, errno.EDQUOT):
        return _("the disk is full")
    if number in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
        return _("a file stands where a folder should be, or the other way round")
    return os.strerror(number or 0)
