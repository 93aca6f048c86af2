"""What may go wrong when somebody joins a class. Nothing was changed then.

DockerlabError
├── BadLine         it is not what stands on a slip
├── Silent          nobody answers at that address
├── NoClass         who answers there is no class
├── OtherClass      it is a class, with another seal
├── InBetween       it shows the seal of the class, and is not the class
├── OtherAddress    it is the class, and does not call itself by that address
├── WrongClock      this machine's clock is wrong, so that no certificate holds
├── UnknownLogin    the class knows nobody by that login
├── WrongPassword   … and not with that password
├── TooOften        a wrong password was tried so often that the class makes one wait
├── CannotAsk       nobody can be asked for the password here
└── NotJoined       there is no class to leave
"""

from __future__ import annotations

from dockerlab.errors import DockerlabError
from dockerlab.i18n import _

EXAMPLE = "rahima@192.168.0.7:5443/k7p2-w4xq-mbza-c3ht"
_NEVER = set("01ilo")  # no password has these


class BadLine(DockerlabError, ValueError):
    """`part` ("login", "address", "seal" or "") of `text` is not as it is on a slip."""

    def __init__(self, text: str, part: str = "") -> None:
        super().__init__(text, part)
        self.text, self.part = text, part

    def message(self) -> str:
        if self.part == "login":
            said = _("The login before the @ is missing, or is not as it is on a slip: “{text}”.")
        elif self.part == "address":
            said = _("The address is not as it is on a slip: “{text}”.")
        elif self.part == "seal":
            said = _(
                "The seal after the / is missing, or is not as it is on a slip: “{text}”. It has "
                "four groups of four letters and digits."
            )
        else:
            said = _("“{text}” is not what is on a slip.")
        whole = _("Type the whole line from your slip, like this: dockerlab join {example}")
        return f"{said.format(text=self.text)} {whole.format(example=EXAMPLE)}"


class Silent(DockerlabError):
    """Nobody answers at `address`."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address

    def message(self) -> str:
        return _(
            "{address} does not answer; nothing was changed. Is your machine in the same network "
            "as your instructor's, is the address the one on your slip, is the instructor's "
            "machine awake? Then try again."
        ).format(address=self.address)


class NoClass(Silent):
    """Who answers at `address` is no class."""

    def message(self) -> str:
        return _(
            "Something answers at {address}, and it is no class of dockerlab; nothing was changed. "
            "Look at the address on your slip again, the number after the : too."
        ).format(address=self.address)


class OtherClass(Silent):
    """A class that calls itself `name` answers at `address`, and its seal is not the slip's.

    `near`: the one that was typed differs in one place only.
    """

    def __init__(self, address: str, name: str, near: bool) -> None:
        super().__init__(address)
        self.name, self.near = name, near

    def message(self) -> str:
        if self.near:
            return _(
                "The seal that you typed differs in one place from that of the class at {address}; "
                "nothing was changed. Look at your slip again, letter by letter."
            ).format(address=self.address)
        return _(
            "What answers at {address} does not have the seal of your slip: it is another class, "
            "or someone in between. It calls itself “{name}”. Nothing was changed, and your "
            "password was not asked for. Show this to your instructor."
        ).format(address=self.address, name=self.name or "?")


class InBetween(Silent):
    """Who answers at `address` shows the certificate of the class, and has not its key."""

    def message(self) -> str:
        return _(
            "What answers at {address} shows the seal of your class and cannot prove that it is "
            "the class: someone may be in between. Nothing was changed, and your password was not "
            "asked for. Show this to your instructor."
        ).format(address=self.address)


class OtherAddress(Silent):
    """It is the class, and its certificate is not for `address`."""

    def message(self) -> str:
        return _(
            "Your class answers at {address}, and that is not an address by which it goes; nothing "
            "was changed. Type the address as it is on your slip. If it is that one, your "
            "instructor has to start the class again with this address."
        ).format(address=self.address)


class WrongClock(Silent):
    """By this machine's clock, the certificate of the class at `address` does not hold."""

    def message(self) -> str:
        return _(
            "By the clock of your machine, the certificate of {address} is not valid yet, or not "
            "any more; nothing was changed. Set date and time right, then try again."
        ).format(address=self.address)


class UnknownLogin(DockerlabError):
    """Nobody in the class `name` has this login."""

    def __init__(self, login: str, name: str) -> None:
        super().__init__(login, name)
        self.login, self.name = login, name

    def message(self) -> str:
        return _(
            "The class “{name}” knows nobody with the login {login}; nothing was changed. Look at "
            "what is before the @ on your slip again."
        ).format(name=self.name, login=self.login)


class WrongPassword(DockerlabError):
    """The password of `login` is another one; `odd`: no slip has one like what was typed.

    The password is not told.
    """

    def __init__(self, login: str, password: str) -> None:
        super().__init__(login)
        self.login = login
        letters = [sign for sign in password.lower() if sign.isalnum()]
        self.odd = len(letters) != 12 or bool(_NEVER.intersection(letters))

    def message(self) -> str:
        said = _(
            "That is not the password of {login}; nothing was changed. Look at your slip again: a "
            "newer slip ends what an older one says."
        ).format(login=self.login)
        odd = _("A password has three groups of four, and none of 0, 1, i, l and o is in it.")
        return f"{said} {odd}" if self.odd else said


class TooOften(DockerlabError):
    """Wrong passwords for `login` were tried so often that the next one has to wait."""

    def __init__(self, login: str) -> None:
        super().__init__(login)
        self.login = login

    def message(self) -> str:
        return _(
            "Wrong passwords for {login} were tried too often; nothing was changed. Wait a minute, "
            "then try again."
        ).format(login=self.login)


class CannotAsk(DockerlabError):
    """Nobody can be asked for a password here; `line` is to be typed where that is possible."""

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.line = line

    def message(self) -> str:
        return _(
            "You cannot be asked for your password here; nothing was changed. Type it in a "
            "terminal: dockerlab join {line}"
        ).format(line=self.line)


class NotJoined(DockerlabError):
    """There is no class to leave."""

    def message(self) -> str:
        return _("You are in no class.")
