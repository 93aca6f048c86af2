"""The wheels of one machine: made again from what is installed here, else from pip's index."""

from __future__ import annotations

import ensurepip
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename

from dockerlab.bundle.manifest import Machine, Wheels, here
from dockerlab.bundle.mistakes import NotCollected
from dockerlab.bundle.needs import Conflict, Environment, Package, needed
from dockerlab.bundle.rebuilding import Unfit, rebuild

KINDS = {
    "windows": ("Windows", "x86_64"),
    "macos": ("Darwin", "arm64"),
    "macos-intel": ("Darwin", "x86_64"),
    "linux": ("Linux", "x86_64"),
    "linux-arm": ("Linux", "arm64"),
}
_SYSTEMS = {"Linux": ("posix", "linux"), "Darwin": ("posix", "darwin"), "Windows": ("nt", "win32")}
_GLIBC = range(28, 4, -1)  # 2.28 is Debian 10's, of 2019
_NAMES = {("Linux", "arm64"): "aarch64", ("Windows", "x86_64"): "AMD64"}
_ABOUT = re.compile(r"[^/]+\.dist-info/METADATA")


@dataclass
class Stock:
    """The wheels gathered so far, in `folder`; those that must be fetched come from `source`.

    Without one, from pip's index. `reasons` says why a package could not be made again.
    """

    folder: Path
    source: Path | None = None
    wheels: dict[str, list[Path]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def collect(self, machine: Machine) -> Wheels:
        """All wheels that the course needs on a machine, pip's included; NotCollected."""
        ours = self._take(rebuild_own(self.folder, machine))
        chosen: dict[str, Path] = {ours.name: self.wheels[ours.name][-1]}

        def fetch(asked: Iterable[Requirement]) -> Iterator[Package]:
            missing = []
            for each in asked:
                path = self._known(each, machine) or self._rebuilt(each, machine)
                if path is None:
                    missing.append(each)
                else:
                    chosen[canonicalize_name(each.name)] = path
                    yield described(path)
            for path in self._download(missing, machine) if missing else ():
                package = self._take(path)
                chosen[package.name] = path
                yield package

        root = Package(ours.name, ours.version, (*ours.requires, "pip"))
        try:
            needed(root, environment(machine), fetch)
        except Conflict as error:
            raise NotCollected("dockerlab", machine, str(error)) from None
        files = tuple(sorted(f"wheels/{path.name}" for path in chosen.values()))
        return Wheels(machine, files, sum(map(_unpacked, chosen.values())))

    def _take(self, path: Path) -> Package:
        package = described(path)
        known = self.wheels.setdefault(package.name, [])
        if path not in known:
            known.append(path)
        return package

    def _known(self, asked: Requirement, machine: Machine) -> Path | None:
        """One that is here already and runs on any machine."""
        for path in self.wheels.get(canonicalize_name(asked.name), ()):
            _, found, _, tags = parse_wheel_filename(path.name)
            python = SpecifierSet(_metadata(path).get("Requires-Python") or "")
            if (
                all((tag.abi, tag.platform) == ("none", "any") for tag in tags)
                and asked.specifier.contains(found, prereleases=True)
                and python.contains(environment(machine)["python_full_version"])
            ):
                return path
        return None

    def _rebuilt(self, asked: Requirement, machine: Machine) -> Path | None:
        if machine != here():
            return None
        try:
            path = rebuild(asked.name, self.folder)
        except (PackageNotFoundError, Unfit) as error:
            self.reasons[asked.name] = str(error)
            bundled = sorted(Path(ensurepip.__file__).parent.glob(f"_bundled/{asked.name}-*.whl"))
            if not bundled:  # Python has a wheel of pip itself
                return None
            path = Path(shutil.copy(bundled[-1], self.folder))
        self._take(path)
        return path

    def _download(self, asked: Sequence[Requirement], machine: Machine) -> list[Path]:
        """From pip's index or the folder; of the versions that are installed here, if it can be."""
        plain = [f"{each.name}{each.specifier}" for each in asked]
        tried = [_pinned(each, machine) for each in asked]
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as folder:
            said = _pip(folder, tried, machine, self.source)
            if said and tried != plain:
                said = _pip(folder, plain, machine, self.source)
            if said:
                names = [each.name for each in asked]
                reasons = [self.reasons[name] for name in names if name in self.reasons]
                raise NotCollected(", ".join(names), machine, "; ".join([*reasons, said]))
            return [path.replace(self.folder / path.name) for path in Path(folder).glob("*.whl")]


def machines(kinds: Iterable[str], pythons: Iterable[str]) -> list[Machine]:
    """The machines that a command line asks for: each kind with each version of Python."""
    mine = here()
    asked = list(kinds)
    pairs = [KINDS[kind] for kind in asked] or [(mine.system, mine.machine)]
    return [Machine(each, *pair) for pair in pairs for each in list(pythons) or [mine.python]]


def rebuild_own(folder: Path, machine: Machine) -> Path:
    """Our own wheel; NotCollected if it cannot be made."""
    try:
        return rebuild("dockerlab", folder)
    except PackageNotFoundError:
        raise NotCollected("dockerlab", machine, "it is not installed") from None
    except Unfit as error:
        raise NotCollected("dockerlab", machine, str(error)) from None


def described(path: Path) -> Package:
    """What a wheel says of itself."""
    about = _metadata(path)
    requires = tuple(about.get_all("Requires-Dist") or ())
    return Package(canonicalize_name(about["Name"]), about["Version"], requires)


def environment(machine: Machine) -> Environment:
    """What requirements ask about a machine."""
    if machine == here():
        return {key: str(value) for key, value in default_environment().items()}
    name, platform = _SYSTEMS[machine.system]
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{machine.python}.0",
        "os_name": name,
        "platform_machine": _NAMES.get((machine.system, machine.machine), machine.machine),
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": machine.system,
        "platform_version": "",
        "python_full_version": f"{machine.python}.0",
        "python_version": machine.python,
        "sys_platform": platform,
    }


def _pinned(asked: Requirement, machine: Machine) -> str:
    try:
        installed = version(asked.name)
    except PackageNotFoundError:
        installed = ""
    if machine.python == here().python and installed and asked.specifier.contains(installed):
        return f"{asked.name}=={installed}"
    return f"{asked.name}{asked.specifier}"


def _pip(folder: str, asked: Sequence[str], machine: Machine, source: Path | None) -> str:
    """Download wheels; what pip complains about, or ""."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--no-input", "--retries=1", "--dest", folder]
    if source:
        command += ["--no-index", f"--find-links={source}"]
    if machine != here():
        command += [f"--python-version={machine.python}", "--implementation=cp"]
        command += [f"--platform={each}" for each in _platforms(machine)]
    done = subprocess.run(
        [*command, *asked],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if not done.returncode:
        return ""
    said = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
    return " ".join(said).replace("ERROR: ", "") or f"pip download: {done.returncode}"


def _platforms(machine: Machine) -> list[str]:
    """The names of its platforms in wheels, as pip wants to be told them."""
    if machine.system == "Windows":
        return ["win_amd64"]
    if machine.system == "Darwin":
        return [f"macosx_13_0_{machine.machine}"]
    name = _NAMES.get((machine.system, machine.machine), machine.machine)
    return [*(f"manylinux_2_{minor}_{name}" for minor in _GLIBC), f"manylinux2014_{name}"]


def _metadata(path: Path) -> Message:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        name = next(name for name in names if _ABOUT.fullmatch(name))
        return message_from_bytes(archive.read(name))


def _unpacked(path: Path) -> int:
    with zipfile.ZipFile(path) as archive:
        return sum(entry.file_size for entry in archive.infolist())
