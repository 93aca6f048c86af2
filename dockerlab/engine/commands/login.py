"""`docker login` and `docker logout`."""

from __future__ import annotations

import getpass

from dockerlab.engine.commands.parse import Session, command, flag, text
from dockerlab.engine.credentials import HUB, HUB_KEY, Credentials, Login, hostname
from dockerlab.errors import DockerlabError, EngineError

_EXPOSED = "WARNING! Using --password via the CLI is insecure. Use --password-stdin."
_EXISTING = """\
Authenticating with existing credentials... [Username: {}]

 Info -> To login with a different account, run 'docker logout' followed by 'docker login'

"""
_UNENCRYPTED = """
WARNING! Your credentials are stored unencrypted in '{}'.
Configure a credential helper to remove this warning. See
https://docs.docker.com/go/credential-store/
"""


@command(
    "login",
    summary="Authenticate to a registry",
    about="Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.",
    usage="[SERVER]",
    options=(
        text("password", "p", "Password or Personal Access Token (PAT)", absent=None),
        flag("password-stdin", "", "Take the Password or Personal Access Token (PAT) from stdin"),
        text("username", "u", "Username", absent=None),
    ),
    arguments=(0, 1),
)
def login(
    session: Session,
    server: str = "",
    *,
    password: str | None,
    password_stdin: bool,
    username: str | None,
) -> None:
    """`docker login`; it asks at a terminal only, as docker does."""
    _check(username, password, password_stdin)
    if password:
        session.complain(_EXPOSED)
    if password_stdin:
        password = _typed(session)
    registry = HUB if server in ("", HUB, HUB_KEY) else hostname(server)
    given = Login((username or "").strip(), (password or "").strip())
    stored = None if given.username or given.password else session.engine.credentials.find(registry)
    if stored and stored.password and _still_good(session, registry, stored):
        login = stored
    else:
        session.engine.expect_login(registry)
        login = _asked(session, given, stored.username if stored else "")
        session.engine.authenticate(registry, login)
    _keep(session, session.engine.credentials, registry, login)


@command(
    "logout",
    summary="Log out from a registry",
    about="Log out from a registry.\n"
    "If no server is specified, the default is defined by the daemon.",
    usage="[SERVER]",
    arguments=(0, 1),
)
def logout(session: Session, server: str = "") -> None:
    """`docker logout`."""
    session.print(f"Removing login credentials for {hostname(server) if server else HUB_KEY}")
    session.engine.credentials.erase(server)


def _check(username: str | None, password: str | None, from_stdin: bool) -> None:
    if from_stdin and password is not None:
        raise EngineError(
            "conflicting options: cannot specify both --password and --password-stdin"
        )
    if from_stdin and username is None:
        raise EngineError("the --password-stdin option requires --username to be set")
    if username == "":
        raise EngineError("username is empty")
    if password == "":
        raise EngineError("password is empty")


def _typed(session: Session) -> str:
    return (session.stdin.read() if session.stdin else b"").decode("utf-8", "replace")


def _still_good(session: Session, registry: str, stored: Login) -> bool:
    session.complain(_EXISTING.format(stored.username))
    try:
        session.engine.authenticate(registry, stored)
    except DockerlabError as error:
        session.complain(f"Login did not succeed, error: {error}")
        return False
    return True


def _asked(session: Session, given: Login, before: str) -> Login:
    """The login, with what is missing asked for; `before` is who one was."""
    if given.username and given.password:
        return given
    if not (session.stdin and session.stdin.isatty()):
        raise EngineError("Error: Cannot perform an interactive login from a non TTY device")
    username = given.username
    if not username:
        session.out.write(f"Username ({before}): " if before else "Username: ")
        session.out.flush()
        username = session.stdin.readline().decode("utf-8", "replace").strip() or before
        if not username:
            raise EngineError("Error: Non-null Username Required")
    password = given.password or getpass.getpass("Password: ").strip()
    if not password:
        raise EngineError("Error: Password Required")
    return Login(username, password)


def _keep(session: Session, credentials: Credentials, registry: str, login: Login) -> None:
    if credentials.store(registry, login):
        session.complain(_UNENCRYPTED.format(credentials.path))
    session.print("Login Succeeded")
