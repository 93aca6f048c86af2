"""A lesson's quiz: answer, see why each answer is right or wrong, try again; nothing gets lost."""

from __future__ import annotations

from typing import Any

from dockerlab.course import outline, progress
from dockerlab.course.quizzes import ONE, ORDER, SEVERAL, Question, Quiz
from dockerlab.i18n import _, digits, ngettext
from dockerlab.widgets.view import View


class QuizView(View):
    """The questions of a quiz; what she answered earlier is there again."""

    template = "quiz"

    def __init__(self, quiz: Quiz) -> None:
        kept = progress.load()
        self.quiz, self.unkept = quiz, kept.told
        self.chosen = {question.id: _first(question) for question in quiz.questions}
        self.judged: set[str] = set()  # the questions whose answers are as they were judged
        self.right = {each.id for each in quiz.questions if kept.right(quiz.lesson, each.id)}
        self.moved: tuple[str, str, str] = ("", "", "")  # the last step in an order, for the focus
        self.empty = ""  # the question that she did not answer before pressing the button
        for question in quiz.questions:
            given = question.known(kept.answers(quiz.lesson, question.id) or ())
            if given and (question.kind != ORDER or len(given) == len(question.answers)):
                self.chosen[question.id] = given
                self.judged.add(question.id)

    @property
    def title(self) -> str:
        """What quiz this is."""
        lesson = next(each for each in outline.lessons() if each.name == self.quiz.lesson)
        return _("Quiz: {lesson}").format(lesson=lesson.title)

    @property
    def score(self) -> str:
        """How many questions she has answered right."""
        count, total = len(self.right), len(self.quiz.questions)
        return _("{count} of {total} right").format(count=digits(count), total=digits(total))

    def __repr__(self) -> str:
        lines = [self.title]
        for number, question in enumerate(self.quiz.questions, 1):
            lines.append(f"{digits(number)}. {question.asks}")
            lines += [f"   - {question.answer(id).text}" for id in question.shown]
        return "\n".join(lines)

    def is_right(self, question: Question) -> bool:
        """Whether the question is answered right as it stands now."""
        return question.id in self.judged and question.is_right(self.chosen[question.id])

    def how(self, question: Question) -> str:
        """What to do, by the kind of question."""
        return {
            ONE: _("Choose one."),
            SEVERAL: _("Choose all that fit; there may be several."),
            ORDER: _("Put them in order with the arrows."),
        }[question.kind]

    def verdict(self, question: Question) -> str:
        """What is said of a question as it stands: nothing before it was answered."""
        if self.empty == question.id:
            return _("Nothing is chosen yet. Choose an answer first.")
        if question.id not in self.judged:
            return ""
        if self.is_right(question):
            return _("Right!")
        given = self.chosen[question.id]
        if question.kind == ORDER:
            fit = sum(question.fits(given, id) for id in given)
            said = ngettext(
                "Not yet: {count} of {total} is in its place.",
                "Not yet: {count} of {total} are in their place.",
                fit,
            )
            return said.format(count=digits(fit), total=digits(len(given)))
        wrong = sum(not question.fits(given, id) for id in given)
        if not wrong:
            return _("So far so good, but something is missing.")
        if question.kind == ONE:
            return _("Not this one.")
        said = ngettext(
            "Not yet: {count} of your answers does not fit.",
            "Not yet: {count} of your answers do not fit.",
            wrong,
        )
        return said.format(count=digits(wrong))

    def feedback(self, question: Question, id: str) -> tuple[str, str, str] | None:
        """A sign, a word and the reason beside an answer; None where nothing must be told yet."""
        if question.id not in self.judged:
            return None
        given, answer = self.chosen[question.id], question.answer(id)
        if question.kind == ORDER:
            if question.fits(given, id):
                return "✔", _("In its place."), answer.why
            return "✘", _("Not here."), ""
        if id in given:
            fits = question.fits(given, id)
            return ("✔", _("Right."), answer.why) if fits else ("✘", _("Wrong."), answer.why)
        return ("–", _("Rightly left out."), answer.why) if self.is_right(question) else None

    @property
    def announced(self) -> str:
        """Where the answer that was moved last is now, for who cannot see it."""
        id, answer, _direction = self.moved
        question = self.quiz.question(id)
        if question is None:
            return ""
        order = self.chosen[id]
        said = _("{answer}: now number {position} of {total}.")
        return said.format(
            answer=question.answer(answer).text.replace("`", ""),
            position=digits(order.index(answer) + 1),
            total=digits(len(order)),
        )

    def handle(self, name: str, value: Any) -> None:
        """The page says which question is meant, and which box: “tick QUESTION ANSWER”."""
        verb, id, answer = (*name.split(), "", "", "")[:3]
        if question := self.quiz.question(id):
            self.empty, self.moved = "", ("", "", "")
            super().handle(verb, (question, (answer, value) if answer else value))

    def on_choose(self, chosen: tuple[Question, str]) -> None:
        """This answer it is, and no other."""
        question, answer = chosen
        self._change(question, question.known([answer]))

    def on_tick(self, chosen: tuple[Question, tuple[str, bool]]) -> None:
        """This answer too, or no longer."""
        question, (answer, ticked) = chosen
        given = [id for id in self.chosen[question.id] if id != answer]
        self._change(question, given + (question.known([answer]) if ticked else []))

    def on_move(self, move: tuple[Question, str]) -> None:
        """One place up or down."""
        question, (answer, _blank, direction) = move[0], move[1].partition(" ")
        order = list(self.chosen[question.id])
        if answer not in order or question.kind != ORDER:
            return
        at = order.index(answer)
        to = at - 1 if direction == "up" else at + 1
        if 0 <= to < len(order):
            order[at], order[to] = order[to], order[at]
            self._change(question, order)
        self.moved = (question.id, answer, direction)

    def on_answer(self, sent: tuple[Question, Any]) -> None:
        """Judge a question, and keep the answer."""
        question = sent[0]
        given = self.chosen[question.id]
        if not given:
            self.empty = question.id
            return
        self.judged.add(question.id)
        if right := question.is_right(given):
            self.right.add(question.id)
        self.unkept = progress.answered(self.quiz.lesson, question.id, given, right)

    def on_retry(self, sent: tuple[Question, Any]) -> None:
        """Begin a question again."""
        self._change(sent[0], _first(sent[0]))

    def _change(self, question: Question, given: list[str]) -> None:
        self.judged.discard(question.id)
        self.chosen[question.id] = given


def _first(question: Question) -> list[str]:
    """What is chosen before anything is."""
    return list(question.shown) if question.kind == ORDER else []
