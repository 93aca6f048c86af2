"""The course's own images, and the Mini Hub's stand-ins for well-known ones, made by code.

Each is an index for amd64 and arm64 over images of three layers: the system's name (shared by
all), the program, and the /greeting that it prints. A further version changes the last one only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

from dockerlab.image import digest as digests
from dockerlab.image import layer
from dockerlab.image.layout import Entry, Layout
from dockerlab.image.manifest import (
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER_GZIP,
    OCI_MANIFEST,
    Descriptor,
    Platform,
    encode,
)
from dockerlab.image.program import program

PLATFORMS = (Platform("linux", "amd64"), Platform("linux", "arm64", "v8"))
LABEL = "dockerlab.sample"
STAND_IN_LABEL = "dockerlab.stand-in"

# What the Mini Hub holds: repository -> tag -> version of the sample of that name.
HUB: Mapping[str, Mapping[str, int]] = {
    "library/alpine": {"latest": 1},
    "library/hello-registry": {"latest": 1},
    "library/hello-world": {"latest": 1},
    "library/nginx": {"1.27": 1, "latest": 2},
    "library/registry": {"2": 1, "2.8.3": 1, "3": 2, "latest": 2},
}

_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
OS_RELEASE = b"""\
NAME="dockerlab"
ID=dockerlab
PRETTY_NAME="A sample image of the dockerlab course"
"""
REGISTRY_SETTINGS = b"""\
version: 0.1
log:
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: :5000
  headers:
    X-Content-Type-Options: [nosniff]
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
"""  # in the images registry:2 and registry:3
_DIGITS = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")


@dataclass(frozen=True)
class _Sample:
    """What one image says, in both languages, and how it is started."""

    bangla: str
    english: str
    stand_in: bool = False
    program: str = "/hello"
    settings: Mapping[str, Any] = field(default_factory=dict)
    later: Mapping[str, Any] = field(default_factory=dict)  # settings of later versions


_SAMPLES = {
    "my-image": _Sample(
        "তোমার নিজের ইমেজ my-image থেকে শুভেচ্ছা!\n"
        "এবার আমাকে একটা নাম দাও, তারপর তোমার নিজের রেজিস্ট্রিতে পুশ করো।",
        "Hello from your own image, my-image!\n"
        "Now give me a name, and push me to a registry of your own.",
        settings={"Cmd": ["/hello"]},
    ),
    "hello-registry": _Sample(
        "স্বাগতম! আমি hello-registry ইমেজ, আর আমি এসেছি একটা রেজিস্ট্রি থেকে।\n"
        "ডকার আমাকে পুল করেছে, আমার থেকে একটা কনটেইনার বানিয়েছে, আর সেই কনটেইনার এই লেখাটা দেখাচ্ছে।\n"
        "কনটেইনার যদি বৃষ্টি হয়, রেজিস্ট্রি হলো মেঘ।",
        "Welcome! I am the image hello-registry, and I came from a registry.\n"
        "Docker pulled me, made a container from me, and that container prints these lines.\n"
        "If containers are the rain, the registry is the cloud.",
        settings={"Cmd": ["/hello"]},
    ),
    "internal-app": _Sample(
        "এই লেখা দেখছো, মানে তুমি লগইন করেই এসেছ!\n"
        "আমি internal-app, দলের ভেতরের অ্যাপ। আমি থাকি প্রাইভেট রেজিস্ট্রিতে।",
        "You can read this, so you did log in!\n"
        "I am internal-app, an app for the team only. I live in a private registry.",
        settings={"Cmd": ["/hello"]},
    ),
    "hello-world": _Sample(
        "ডকার থেকে শুভেচ্ছা! এই লেখাটা দেখছো, মানে সব ঠিকঠাক চলছে।\n"
        "আমি এই কোর্সের ছোট্ট hello-world, আসল hello-world না।",
        "Hello from Docker! If you can read this, everything works.\n"
        "I am the course's small hello-world, not the real one.",
        stand_in=True,
        settings={"Cmd": ["/hello"]},
    ),
    "alpine": _Sample(
        "আমি এই কোর্সের ছোট্ট alpine, আসল alpine না: আমার ভেতরে কোনো শেল নেই।",
        "I am the course's small alpine, not the real one: there is no shell in me.",
        stand_in=True,
        program="/bin/sh",
        settings={"Cmd": ["/bin/sh"]},
    ),
    "nginx": _Sample(
        "আমি এই কোর্সের ছোট্ট nginx, আসল nginx না: আমি কোনো ওয়েবসাইট দেখাই না, শুধু এই লেখাটা দেখাই।\n"
        "নাম, লেয়ার, পুশ আর পুল শেখার জন্যে আমিই যথেষ্ট।",
        "I am the course's small nginx, not the real one: I serve no website, I only say this.\n"
        "To learn about names, layers, push and pull, I am all you need.",
        stand_in=True,
        program="/docker-entrypoint.sh",
        settings={
            "Entrypoint": ["/docker-entrypoint.sh"],
            "Cmd": ["nginx", "-g", "daemon off;"],
            "ExposedPorts": {"80/tcp": {}},
            "StopSignal": "SIGQUIT",
        },
    ),
    "registry": _Sample(
        "আমি এই কোর্সের ছোট্ট registry, আসল registry না।\n"
        "dockerlab-এর নিজের ইঞ্জিনে আমি সত্যিকারের একটা রেজিস্ট্রি চালাই; অন্য ইঞ্জিনে শুধু এই লেখাটা দেখাই।",
        "I am the course's small registry, not the real one.\n"
        "On dockerlab's own engine I start a working registry; on any other I only say this.",
        stand_in=True,
        program="/entrypoint.sh",
        settings={
            "Entrypoint": ["/entrypoint.sh"],
            "Cmd": ["/etc/docker/registry/config.yml"],
            "ExposedPorts": {"5000/tcp": {}},
            "Volumes": {"/var/lib/registry": {}},
        },
        later={"Cmd": ["/etc/distribution/config.yml"]},
    ),
}
NAMES = tuple(_SAMPLES)


def greeting(name: str, version: int = 1) -> str:
    """What that sample prints."""
    sample = _SAMPLES[name]
    bangla = f"({name}, ভার্সন {str(version).translate(_DIGITS)})"
    return f"{sample.bangla}\n{bangla}\n\n{sample.english}\n({name}, version {version})\n"


def build(layout: Layout, name: str, version: int = 1) -> Descriptor:
    """Put a sample into `layout`, where it gets no name yet, and return its index."""
    return index(layout, [_image(layout, name, version, platform) for platform in PLATFORMS])


def hub(path: Path) -> Layout:
    """The Mini Hub as a layout at `path`, made there if needed; it names canonical references."""
    layout = Layout(path)
    entries = tuple(
        Entry(f"docker.io/{repository}:{tag}", build(layout, repository.split("/")[-1], version))
        for repository, tags in HUB.items()
        for tag, version in tags.items()
    )
    if layout.entries() != entries:
        layout.update(lambda _: entries)
    return layout


def assemble(
    layout: Layout,
    config: Mapping[str, Any],
    layers: Sequence[tuple[str, Descriptor]],
    platform: Platform,
) -> Descriptor:
    """Put an image together whose `layers` (digest of the tar, blob) are in `layout` already."""
    rootfs = {"type": "layers", "diff_ids": [diff_id for diff_id, _ in layers]}
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": layout.add(encode({**config, "rootfs": rootfs}), OCI_CONFIG).to_json(),
        "layers": [blob.to_json() for _, blob in layers],
    }
    added = layout.add(encode(manifest), OCI_MANIFEST)
    return Descriptor(added.media_type, added.digest, added.size, platform)


def index(layout: Layout, images: Sequence[Descriptor]) -> Descriptor:
    """Put the index over images of several platforms into `layout`."""
    listed = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [image.to_json() for image in images],
    }
    return layout.add(encode(listed), OCI_INDEX)


def describe(
    name: str, platform: Platform, steps: Sequence[str], version: int = 1
) -> dict[str, Any]:
    """A sample's config (image-spec, config.md) without its layers, which the `steps` made."""
    sample = _SAMPLES[name]
    day = datetime.fromtimestamp(layer.MODIFIED, timezone.utc) + timedelta(days=version - 1)
    created = day.strftime("%Y-%m-%dT%H:%M:%SZ")
    settings = {**sample.settings, **(sample.later if version > 1 else {})}
    start = [key for key in ("Entrypoint", "Cmd") if key in settings]
    settled = [f"{key.upper()} {encode(settings[key]).decode()}" for key in start]
    about = "The course's stand-in for" if sample.stand_in else "A sample image of the course:"
    labels = {LABEL: name, "org.opencontainers.image.description": f"{about} {name}"}
    if sample.stand_in:
        labels[STAND_IN_LABEL] = name
    return {
        **platform.to_json(),
        "created": created,
        "config": {"Env": [_PATH], "WorkingDir": "/", "Labels": labels, **settings},
        "history": [
            {"created": created, "created_by": line, "comment": "dockerlab"}
            | ({"empty_layer": True} if position >= len(steps) else {})
            for position, line in enumerate((*steps, *settled))
        ],
    }


def _image(layout: Layout, name: str, version: int, platform: Platform) -> Descriptor:
    """One platform's manifest, as it stands in the index."""
    sample = _SAMPLES[name]
    files = (
        ("etc/os-release", OS_RELEASE, 0o644),
        (sample.program.lstrip("/"), program(platform.architecture), 0o755),
        ("greeting", greeting(name, version).encode(), 0o644),
    )
    made = [_layer(*file) for file in files]
    layers = [(diff_id, layout.add(packed, OCI_LAYER_GZIP)) for diff_id, packed in made]
    steps = (
        "COPY os-release /etc/os-release",
        f"COPY program {sample.program}",
        "COPY greeting /greeting",
    )
    return assemble(layout, describe(name, platform, steps, version), layers, platform)


@cache
def _layer(path: str, content: bytes, mode: int) -> tuple[str, bytes]:
    """The digest of a layer's tar, and the tar packed."""
    unpacked = layer.tar(path, content, mode)
    return digests.of(unpacked), layer.gzip(unpacked)
