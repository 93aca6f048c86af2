"""The quizzes: every one can be answered, in both languages, and says why."""

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import yaml
from yaml.constructor import ConstructorError

from dockerlab import i18n, lab
from dockerlab.course import progress, quizzes
from dockerlab.course.quizzes import KINDS, ONE, ORDER, SEVERAL, Question, UnknownQuiz
from dockerlab.widgets.quiz import QuizView
from tests.test_widgets import Balanced

DATA = Path(quizzes.__file__).parent
QUESTIONS = [
    pytest.param(question, id=f"{name}/{question.id}")
    for name in quizzes.names()
    for question in quizzes.find(name).questions
]


class Strict(yaml.SafeLoader):
    """Fails where a key comes twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key) for key, _ in node.value]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise ConstructorError(None, None, f"twice: {twice}", node.start_mark)
        return super().construct_mapping(node, deep)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.parametrize("path", sorted(DATA.rglob("*.yaml")), ids=lambda path: path.stem)
def test_no_id_comes_twice(path: Path) -> None:
    assert yaml.load(path.read_text("utf-8"), Loader=Strict)


def test_every_lesson_that_there_is_has_three_questions() -> None:
    lessons = {path.stem for path in (DATA.parents[1] / "notebooks").glob("??/*.ipynb")}
    assert set(quizzes.names()) == lessons - {"glossary", "troubleshooting"}
    for name in quizzes.names():
        assert len(quizzes.find(name).questions) == 3
    kinds = {q.kind for name in quizzes.names() for q in quizzes.find(name).questions}
    assert kinds == set(KINDS)


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_can_be_answered_and_every_answer_says_why(question: Question) -> None:
    ids = [answer.id for answer in question.answers]
    assert question.kind in KINDS and len(ids) >= 3
    assert sorted(question.shown) == sorted(ids)
    assert not any(set(" /\"'<") & set(id) for id in (question.id, *ids))
    assert question.is_right(question.right)
    if question.kind == ORDER:
        assert question.right == tuple(ids) != question.shown
        assert sum(question.is_right(order) for order in permutations(ids)) == 1
    else:
        assert len(question.right) < len(ids)
        assert (len(question.right) == 1) == (question.kind == ONE)
        assert not question.is_right(ids) and not question.is_right([])
    for lang in i18n.LANGUAGES:
        i18n.choose(lang)
        for text in (question.asks, *(a.text for a in question.answers)):
            assert text and text.count("`") % 2 == 0
        whys = [answer.why for answer in question.answers]
        assert all(len(why) > 10 for why in whys) and len(set(whys)) == len(whys)


@pytest.mark.parametrize(("name", "near"), [("05-tag-push", "05-tag-push-pull"), (5, "0")])
def test_an_unknown_quiz_names_a_near_one(name: object, near: str) -> None:
    with pytest.raises(UnknownQuiz, match=near):
        lab.quiz(name)  # type: ignore[arg-type]


def view(name: str = "05-tag-push-pull") -> QuizView:
    return lab.quiz(name)


def kind(shown: QuizView, wanted: str) -> Question:
    return next(each for each in shown.quiz.questions if each.kind == wanted)


def solve(shown: QuizView, question: Question) -> None:
    """As the page would do it."""
    if question.kind == ONE:
        shown.handle(f"choose {question.id}", question.right[0])
    for answer in question.answers if question.kind == SEVERAL else ():
        shown.handle(f"tick {question.id} {answer.id}", answer.right)
    for place, id in enumerate(question.right if question.kind == ORDER else ()):
        while shown.chosen[question.id].index(id) != place:
            shown.handle(f"move {question.id}", f"{id} up")
    shown.handle(f"answer {question.id}", {})


@pytest.mark.parametrize("lang", i18n.LANGUAGES)
@pytest.mark.parametrize("name", quizzes.names())
def test_a_quiz_is_solved_and_is_still_so_in_another_kernel(name: str, lang: str) -> None:
    i18n.choose(lang)
    shown = view(name)
    for question in shown.quiz.questions:
        before = shown.html(live=True)
        assert not any(f">{sign} " in before for sign in "✔✘–") or shown.right
        solve(shown, question)
        assert shown.is_right(question)
        Balanced(shown.html(live=True))
    assert shown.score == i18n._("{count} of {total} right").format(
        count=i18n.digits(3), total=i18n.digits(3)
    )
    again = view(name)
    assert again.score == shown.score
    assert again.html(live=True).replace(" data-focus", "") == shown.html(live=True).replace(
        " data-focus", ""
    )


def test_a_wrong_answer_says_why_and_does_not_give_away_the_right_one() -> None:
    shown = view()
    question = kind(shown, ONE)
    wrong = next(answer for answer in question.answers if not answer.right)
    right = question.answer(question.right[0])
    shown.handle(f"choose {question.id}", wrong.id)
    shown.handle(f"answer {question.id}", {})
    assert shown.verdict(question) == "Not this one."
    told = {each.id: shown.feedback(question, each.id) for each in question.answers}
    assert told.pop(wrong.id) == ("✘", "Wrong.", wrong.why) and set(told.values()) == {None}
    assert right.why not in shown.html(live=True)
    shown.handle(f"retry {question.id}", None)
    assert shown.chosen[question.id] == [] and shown.verdict(question) == ""
    solve(shown, question)
    assert shown.verdict(question) == "Right!"
    assert shown.feedback(question, wrong.id) == ("–", "Rightly left out.", wrong.why)


def test_several_answers_may_be_too_few_or_too_many() -> None:
    shown = view()
    question = kind(shown, SEVERAL)
    wrong = [answer.id for answer in question.answers if not answer.right]
    shown.handle(f"tick {question.id} {question.right[0]}", True)
    shown.handle(f"answer {question.id}", {})
    assert shown.verdict(question) == "So far so good, but something is missing."
    shown.handle(f"tick {question.id} {wrong[0]}", True)
    assert shown.verdict(question) == ""
    shown.handle(f"answer {question.id}", {})
    assert shown.verdict(question) == "Not yet: 1 of your answers does not fit."
    shown.handle(f"tick {question.id} {wrong[0]}", False)
    shown.handle(f"tick {question.id} {question.right[1]}", True)
    shown.handle(f"answer {question.id}", {})
    assert shown.is_right(question)


def test_an_order_says_how_much_of_it_fits_and_where_a_moved_answer_is() -> None:
    shown = view()
    question = kind(shown, ORDER)
    first = question.shown[0]
    shown.handle(f"move {question.id}", f"{first} up")
    assert shown.chosen[question.id] == list(question.shown)
    shown.handle(f"move {question.id}", f"{first} down")
    assert shown.announced == "docker pull localhost:5000/my-image: now number 2 of 4."
    shown.handle(f"answer {question.id}", {})
    assert shown.verdict(question) == "Not yet: 2 of 4 are in their place."
    assert shown.feedback(question, "tag") == ("✔", "In its place.", question.answer("tag").why)
    assert shown.feedback(question, first) == ("✘", "Not here.", "")


@pytest.mark.parametrize("kind_of", [ONE, SEVERAL])
def test_no_answer_is_no_mistake_but_is_said(kind_of: str) -> None:
    shown = view()
    question = kind(shown, kind_of)
    shown.handle(f"answer {question.id}", {})
    assert "Nothing is chosen yet" in shown.html(live=True)
    assert progress.load().answers("05-tag-push-pull", question.id) is None
    assert shown.score == "0 of 3 right"


@pytest.mark.parametrize(
    ("name", "value"),
    [("choose", "x"), ("choose nothing", "x"), ("choose tagged", "x"), ("tick tagged x", True)]
    + [("move there-and-back", "x up"), ("move tagged", "names up"), ("", None), ("handle", None)],
)
def test_what_no_page_of_ours_says_changes_nothing(name: str, value: object) -> None:
    shown, fresh = view(), view()
    shown.handle(name, value)
    assert shown.chosen == fresh.chosen and shown.trouble == ""


def test_answers_of_an_older_course_are_left_aside() -> None:
    progress.answered("05-tag-push-pull", "tagged", ["gone"], False)
    progress.answered("05-tag-push-pull", "there-and-back", ["tag", "gone"], False)
    progress.answered("05-tag-push-pull", "gone", ["x"], True)
    shown = view()
    assert shown.chosen["tagged"] == [] and len(shown.chosen["there-and-back"]) == 4
    assert shown.judged == set() and shown.score == "0 of 3 right"


@pytest.mark.parametrize("name", quizzes.names())
def test_where_no_kernel_runs_the_answers_unfold(name: str) -> None:
    shown = view(name)
    html = shown.html()
    seen = Balanced(html)
    assert html.count("<details>") == 3 and "<form" not in html and "<button" not in html
    for question in shown.quiz.questions:
        for answer in question.answers:
            assert answer.why.replace("`", "") in seen.text
            assert f"- {answer.text}" in repr(shown) and answer.why not in repr(shown)
    solve(shown, shown.quiz.questions[0])
    assert (shown.html(), repr(shown)) == (html, repr(view(name)))
