"""A team's registry as the capstone wants it, set up by commands, or with a mistake in it."""

from __future__ import annotations

import socket
from pathlib import Path

from benches import Bench

from dockerlab.course.checks import team
from dockerlab.engine.daemon import FIRST
from dockerlab.engine.embedded import Embedded
from dockerlab.engine.home import home
from dockerlab.registry.certificates import issue
from dockerlab.registry.htpasswd import add


class Team(Bench):
    """A learner's docker host, with certs/ and auth/ in the current folder."""

    def __init__(self) -> None:
        engine = Embedded(home())
        for name in ("my-image", "hello-registry"):
            engine.images.add_sample(name, name)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            super().__init__(engine, f"localhost:{free.getsockname()[1]}")

    def prepare(self, *names: str, users: dict[str, str] | None = None, **how: bool) -> None:
        """A certificate of the lab's authority, and a file of users."""
        issue(Path("certs"), *names or ("localhost", FIRST), authority=home() / "authority", **how)
        Path("auth/htpasswd").unlink(missing_ok=True)
        for user, password in (team.USERS if users is None else users).items():
            add(Path("auth/htpasswd"), user, password)

    def run(self, *, but: str = "", more: str = "") -> None:
        """`docker run` as it should be, without the words that hold `but`."""
        here = Path.cwd()
        words = {
            f"-p {self.address.rpartition(':')[2]}:5000": "port",
            "-v team-data:/var/lib/registry": "volume",
            f"-v {here}/certs:/certs:ro": "certs",
            f"-v {here}/auth:/auth:ro": "users",
            "-e REGISTRY_HTTP_TLS_CERTIFICATE=/certs/localhost.crt": "tls",
            "-e REGISTRY_HTTP_TLS_KEY=/certs/localhost.key": "tls",
            "-e REGISTRY_AUTH=htpasswd -e REGISTRY_AUTH_HTPASSWD_REALM=team": "auth",
            "-e REGISTRY_AUTH_HTPASSWD_PATH=/auth/htpasswd": "auth",
            "-e REGISTRY_STORAGE_DELETE_ENABLED=true": "delete",
        }
        chosen = [text for text, part in words.items() if part != but]
        self.docker(f"run -d --name team-registry {' '.join(chosen)} {more} registry:2")

    def up(self) -> None:
        """All of the first step."""
        self.prepare()
        self.run()

    def log_in(self, *words: str, at: str = "@", user: str = "mina") -> None:
        """`docker login`."""
        self.docker(" ".join([*words, "login -u", user, "-p", team.USERS[user], at]))

    def fill(self, *images: str) -> None:
        """Push these images, by default all that the team wants."""
        self.log_in()
        for name in images or (*team.KEPT, team.OLD):
            source = "hello-registry" if "api" in name else "my-image"
            self.docker(f"tag {source} @/{name}")
            self.docker(f"push @/{name}")

    def delete(self, image: str) -> None:
        """Delete an image from the registry, by its digest."""
        from dockerlab.registry.client import Registry

        repository, _, tag = image.partition(":")
        with Registry(self.address, username="mina", password=team.USERS["mina"]) as registry:
            registry.delete(repository, registry.resolve(repository, tag).digest)

    @property
    def there(self) -> str:
        """What host2 calls the registry."""
        return f"{FIRST}:{self.address.rpartition(':')[2]}"

    def deliver(self, image: str = "team/web:1.0") -> None:
        """host2 trusts, logs in and pulls."""
        self.engine.neighbour("host2").trust(self.there, Path("certs/ca.crt").read_bytes())
        self.log_in("--context host2", at=self.there, user="rafi")
        self.docker(f"--context host2 pull {self.there}/{image}")

    def everything(self) -> None:
        """All five steps."""
        self.up()
        self.fill()
        self.delete(team.OLD)
        self.deliver()
        self.docker("restart team-registry")
