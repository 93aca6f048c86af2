"""The `lab` object: a thin front, for notebooks, on the engine, the checks and the widgets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockerlab.i18n import _, digits
from dockerlab.widgets.outcome import Note

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine
    from dockerlab.widgets.capstone import CapstoneView
    from dockerlab.widgets.certificate import CertificateView
    from dockerlab.widgets.check import CheckView
    from dockerlab.widgets.dashboard import Dashboard
    from dockerlab.widgets.diploma import DiplomaView
    from dockerlab.widgets.explain import ExplainView
    from dockerlab.widgets.explorer import NameExplorer
    from dockerlab.widgets.login import LoginView
    from dockerlab.widgets.picture import PictureView
    from dockerlab.widgets.progress import ProgressView
    from dockerlab.widgets.quiz import QuizView
    from dockerlab.widgets.registry import RegistryView
    from dockerlab.widgets.requests import RequestsView
    from dockerlab.widgets.second import SecondHostView
    from dockerlab.widgets.transfer import TransferView
    from dockerlab.widgets.wire import WireView
    from dockerlab.widgets.word import WordView


class Lab:
    """What a notebook asks for; each method returns what the notebook shows."""

    @property
    def engine(self) -> Engine:
        """What carries out docker commands here."""
        from dockerlab.engine import current

        return current()

    def begin(self, lesson: str, anew: bool = False) -> Note:
        """Bring the lab to the state in which `lesson` begins; `anew`: even if it is long work."""
        from dockerlab.course import beginning, moving, progress

        if anew:
            return Note("\n".join(moving.goto(beginning.find(lesson).name, self.engine)))
        goes_on = beginning.begin(lesson, self.engine)
        unkept = progress.began(lesson)
        ready = _("Your lab is ready.")
        if goes_on:
            ready = _(
                "Your lab is as you left it, with the containers and volumes of this lesson. To "
                'begin with an empty one: lab.begin("{lesson}", anew=True)'
            ).format(lesson=lesson)
        return Note(" ".join(filter(None, [ready, unkept])))

    def check(self, name: str, answer: Any = None) -> CheckView:
        """Look whether it worked; if not, a hint that depends on what was seen."""
        from dockerlab.widgets.check import CheckView

        return CheckView(name, self.engine, answer)

    def quiz(self, lesson: str) -> QuizView:
        """The questions of a lesson, with what was answered so far."""
        from dockerlab.course import quizzes
        from dockerlab.widgets.quiz import QuizView

        return QuizView(quizzes.find(lesson))

    def progress(self) -> ProgressView:
        """The map of the whole course, and how far the learner has come."""
        from dockerlab.widgets.progress import ProgressView

        return ProgressView()

    def capstone(self) -> CapstoneView:
        """The steps of the last work, and which of them are done, as seen from outside."""
        from dockerlab.widgets.capstone import CapstoneView

        return CapstoneView(self.engine)

    def diploma(self, name: str = "") -> DiplomaView:
        """Write diploma.html for `name` beside this notebook, once all of the last work is done."""
        from dockerlab.widgets.diploma import DiplomaView

        return DiplomaView(name, self.engine)

    def name(self, text: str = "", other: str = "") -> NameExplorer:
        """Take the name of an image apart while it is typed, maybe with another one beside it."""
        from dockerlab.widgets.explorer import NameExplorer

        return NameExplorer(str(text), str(other))

    def word(self, text: str) -> WordView:
        """What a word of the course means, in both languages; `text` may be in either."""
        from dockerlab.course import glossary
        from dockerlab.widgets.word import WordView

        return WordView(glossary.find(str(text)))

    def picture(self, name: str) -> PictureView:
        """Show one of the course's pictures, such as "push-pull"."""
        from dockerlab.widgets.picture import look

        return look(name)

    def registry(self, address: str) -> RegistryView:
        """Browse what the registry at `address` (`localhost:5000`) holds, now and as it changes."""
        from dockerlab.widgets.registry import look

        return look(address, self.engine)

    def explain(self, text: object = "") -> ExplainView:
        """What an error means that was pasted, why it came and what to do; or a box to paste it."""
        from dockerlab.widgets.explain import ExplainView

        return ExplainView(text)

    def requests(self, name: str = "") -> RequestsView:
        """Show what the registry in the container `name`, else in the newest, was asked so far."""
        from dockerlab.widgets.requests import look

        return look(self.engine, name)

    def login(
        self, registry: str = "", user: str = "", password: str = "", context: str = ""
    ) -> LoginView:
        """A form to log in at `registry` ("localhost:5000"), from this docker host or another one.

        With a `password` it logs in at once. It shows what becomes of it.
        """
        from dockerlab.widgets.login import LoginView

        view = LoginView(self.engine, registry, user, context)
        if password:
            view.log_in(password)
        return view

    def wire(self, command: str) -> WireView:
        """Run a docker command ("push localhost:5000/my-image") and show all that it asks."""
        from dockerlab.widgets.wire import run

        return run(self.engine, command)

    def push(self, image: str, context: str = "") -> TransferView:
        """Push `image` from this docker host or another one, and show how each layer comes on."""
        from dockerlab.widgets.transfer import transfer

        return transfer("push", image, self.engine, context)

    def pull(self, image: str, context: str = "") -> TransferView:
        """Pull `image` to this docker host or another one, and show how each layer comes on."""
        from dockerlab.widgets.transfer import transfer

        return transfer("pull", image, self.engine, context)

    def image(self, name: str, version: int = 1, platform: str = "") -> Note:
        """Make one of the course's own images again under its name, maybe for "linux/arm64"."""
        from dockerlab.engine.commands.transfer import parse_platform

        self.engine.images.add_sample(name, name, version, parse_platform(str(platform)))
        made = _("{name} is now version {version}.")
        return Note(made.format(name=name, version=digits(version)))

    def attach(self, image: str, content: str | bytes, kind: str) -> Note:
        """Attach `content` to an image in a registry, as an artifact that has it as its subject."""
        from dockerlab.widgets.attaching import attach

        return attach(self.engine, image, content, kind)

    def volume(self, name: str) -> Note:
        """How many bytes the files in a volume take."""
        from dockerlab.engine.commands.format import size

        held = _("The volume {name} holds {size}.")
        return Note(held.format(name=name, size=size(self.engine.volumes.size(str(name)), 4)))

    def limit(self) -> Note:
        """How many images Docker Hub lets this address pull, and how many are left."""
        from dockerlab.registry.limit import ask

        limit = ask()
        if limit is None:
            return Note(_("Docker Hub does not answer from here, so it cannot be asked."))
        if not limit.most:
            return Note(_("Docker Hub answers, and sets no limit to pulls from here."))
        said = _("From here Docker Hub allows {most} pulls in {hours} hours; {left} are left.")
        numbers = {"most": limit.most, "hours": limit.seconds // 3600, "left": limit.left}
        return Note(said.format(**{key: digits(value) for key, value in numbers.items()}))

    def second_host(self) -> SecondHostView:
        """The docker host `host2`, for `%docker --context host2 …`: what this machine can have."""
        from dockerlab.engine.second import second
        from dockerlab.widgets.second import SecondHostView

        return SecondHostView(second(self.engine), self.engine.name)

    def certificate(
        self, *names: str, folder: str = "certs", expired: bool = False
    ) -> CertificateView:
        """A certificate for a registry with these names and addresses, from the lab's authority."""
        from dockerlab.engine.home import home, private
        from dockerlab.errors import BadName
        from dockerlab.registry.certificates import issue
        from dockerlab.widgets.certificate import CertificateView

        with _writing(home()):
            authority = private(home() / "authority")
        try:
            with _writing(folder):
                made = issue(Path(folder), *names, authority=authority, expired=expired)
        except (TypeError, ValueError):
            raise BadName(names) from None
        return CertificateView(made, names)

    def trust(self, registry: str, context: str = "", ca: str = "certs/ca.crt") -> Note:
        """Let a docker host trust the authority `ca` at a registry, "192.168.56.100:5000"."""
        from dockerlab.engine.home import home
        from dockerlab.widgets.certificate import trust

        with _writing(home()):
            return trust(self.engine, registry, context, Path(ca))

    def htpasswd(self, path: str, user: str, password: str) -> Note:
        """Let a user in with a password, for a registry that is given the file at `path`."""
        from dockerlab.errors import BadLogin
        from dockerlab.registry.htpasswd import add

        try:
            with _writing(path):
                add(Path(path), user, password)
        except (AttributeError, ValueError):  # of what is no text, or none that will do
            raise BadLogin(user) from None
        said = _("{path} lets {user} in; it holds a hash of the password, not the password.")
        return Note(said.format(path=path, user=user))

    def join(self, line: str, share: bool | None = None) -> Note:
        """Join the class that the line on a slip leads to; the password is asked for.

        `share`: whether the instructor may see at which check the learner is; else she is asked.
        """
        from dockerlab.classroom import welcome
        from dockerlab.engine.home import home

        def agree(question: str) -> bool:
            return input(f"{question} [y/N] ").strip().lower() in ("y", "yes", "হ্যাঁ")

        with _writing(home()):
            said = welcome.join(str(line), self.engine, "%docker", share=share, agree=agree)
        return Note("\n".join(said))

    def leave(self) -> Note:
        """Leave the class, and take away all that joining it has brought."""
        from dockerlab.classroom import welcome
        from dockerlab.engine.home import home

        with _writing(home()):
            return Note(welcome.leave(self.engine))

    def reset(self) -> Note:
        """Stop and remove everything that the lab made: containers, images, volumes."""
        from dockerlab.course import moving

        return Note("\n".join(moving.reset(self.engine)))

    def undo(self) -> Note:
        """Take back the last `lab.reset()`, `dockerlab goto` or beginning anew."""
        from dockerlab.course import moving

        return Note("\n".join(moving.undo(self.engine)))

    def redo(self) -> Note:
        """Do again what `lab.undo()` has taken back."""
        from dockerlab.course import moving

        return Note("\n".join(moving.undo(self.engine, again=True)))

    def __repr__(self) -> str:
        return repr(self._dashboard())

    def _repr_html_(self) -> str:
        return self._dashboard().html()

    def _repr_mimebundle_(self, **_: Any) -> Any:
        return self._dashboard()._repr_mimebundle_()

    def _dashboard(self) -> Dashboard:
        from dockerlab.engine import hosts
        from dockerlab.widgets.dashboard import Dashboard

        return Dashboard(lambda: self.engine, hosts)


lab = Lab()


@contextmanager
def _writing(path: object) -> Iterator[None]:
    """CannotWrite where the system will not let files be written at `path`."""
    from dockerlab.errors import CannotWrite

    try:
        yield
    except OSError as error:
        raise CannotWrite(path, error.errno) from None
