"""docker's table of contents: groups of commands, and the commands that take a Docker Engine."""

from __future__ import annotations

from dockerlab.engine.commands.parse import COMMANDS, Session, command
from dockerlab.errors import NeedsEngine

GROUPS = {
    "builder": "Manage builds",
    "container": "Manage containers",
    "context": "Manage contexts",
    "image": "Manage images",
    "manifest": "Manage Docker image manifests and manifest lists",
    "network": "Manage networks",
    "plugin": "Manage plugins",
    "system": "Manage Docker",
    "trust": "Manage trust on Docker images",
    "volume": "Manage volumes",
    "config": "Manage Swarm configs",
    "node": "Manage Swarm nodes",
    "secret": "Manage Swarm secrets",
    "service": "Manage Swarm services",
    "stack": "Manage Swarm stacks",
    "swarm": "Manage Swarm",
}
TOPICS = {
    title: names.split()
    for title, names in {
        "Common Commands": ("run exec ps build pull push images login logout search version info"),
        "Management Commands": (
            "builder container context image manifest network plugin system trust volume"
        ),
        "Swarm Commands": "config node secret service stack swarm",
        "Commands": (
            "attach commit cp create diff events export history import inspect kill load logs "
            "pause port rename restart rm rmi save start stats stop tag top unpause update wait"
        ),
    }.items()
}

# What docker knows and this engine does not: arguments (least-most), spellings | usage | summary.
_ELSEWHERE = """
1-1 container attach, attach|CONTAINER
  |Attach local standard input, output, and error streams to a running container
1-2 container commit, commit|CONTAINER [REPOSITORY[:TAG]]
  |Create a new image from a container's changes
2-2 container cp, cp|CONTAINER:SRC_PATH DEST_PATH|-
  |Copy files/folders between a container and the local filesystem
1-1 container diff, diff|CONTAINER
  |Inspect changes to files or directories on a container's filesystem
1-1 container export, export|CONTAINER
  |Export a container's filesystem as a tar archive
1- container pause, pause|CONTAINER [CONTAINER...]
  |Pause all processes within one or more containers
0- container stats, stats|[CONTAINER...]
  |Display a live stream of container(s) resource usage statistics
1- container top, top|CONTAINER [ps OPTIONS]
  |Display the running processes of a container
1- container unpause, unpause|CONTAINER [CONTAINER...]
  |Unpause all processes within one or more containers
1- container update, update|CONTAINER [CONTAINER...]
  |Update configuration of one or more containers
1-1 image build, build|PATH | URL | -
  |Build an image from a Dockerfile
1- image import, import|file|URL|- [REPOSITORY[:TAG]]
  |Import the contents from a tarball to create a filesystem image
1-1 search|TERM
  |Search Docker Hub for images
0-0 system events, events|
  |Get real time events from the server
1-2 context export|CONTEXT [FILE|-]
  |Export a context to a tar archive FILE or a tar stream on STDOUT.
2-2 context import|CONTEXT FILE|-
  |Import a context from a tar or zip file
0- context inspect|[CONTEXT] [CONTEXT...]
  |Display detailed information on one or more contexts
1-1 context update|CONTEXT
  |Update a context
1-1 context use|CONTEXT
  |Set the current docker context
"""
ELSEWHERE: set[str] = set()  # the spellings of those that no module has registered


def add_elsewhere() -> None:
    """Register what takes a Docker Engine, except what is known by now."""
    for line in _ELSEWHERE.strip().replace("\n  |", "|").splitlines():
        count, line = line.split(" ", 1)
        least, _, most = count.partition("-")
        names, _, rest = line.partition("|")
        usage, _, summary = rest.rpartition("|")
        spellings = [name.strip() for name in names.split(",")]
        if COMMANDS.keys() & spellings:
            continue
        ELSEWHERE.update(spellings)
        words = f"[OPTIONS] {usage}".strip()
        arguments = (int(least), int(most) if most else None)
        command(*spellings, summary=summary, usage=words, arguments=arguments)(_elsewhere)


def _elsewhere(_session: Session, *_arguments: str) -> int:
    raise NeedsEngine("docker")
