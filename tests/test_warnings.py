"""Warnings of a registry (distribution-spec § Warnings): sent by a setting, shown to learners."""

import json
from pathlib import Path

import httpx
import pytest

from dockerlab import i18n
from dockerlab.errors import NotFound
from dockerlab.registry.client import Registry
from dockerlab.widgets import registry as registries
from tests.servers import push_image, start_server
from tests.test_widgets import Balanced
from tests.wires import Reply, liar

SOON = 'Sleep at 10: "save" your work'
MOVED = "কাল থেকে <b>নতুন</b> ঠিকানা"


def test_a_setting_sends_warnings_and_the_client_tells_each_once(tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    lines = ['299 - "Sleep at 10: \\"save\\" your work"', f'299 - "{MOVED}"']
    settings = {"version": "0.1", "http": {"headers": {"Warning": lines}}}
    config.write_text(json.dumps(settings), encoding="utf-8")  # YAML is more than JSON
    with start_server(tmp_path / "root", arguments=[str(config)]) as server:
        with httpx.Client(base_url=server.url) as http:
            push_image(http, "app", "1", b"layer")
        with Registry(server.address) as registry:
            assert registry.warnings == ()
            list(registry.tags("app"))
            with pytest.raises(NotFound):
                registry.resolve("app", "none")
            assert registry.warnings == (SOON, MOVED)
        view = registries.look(server.address)
    assert repr(view).splitlines()[1:3] == [f"The registry warns: {t}" for t in (SOON, MOVED)]
    assert f"⚠ The registry warns: {MOVED}" in Balanced(view._repr_html_()).text
    i18n.choose("bn")
    assert f"রেজিস্ট্রি সাবধান করছে: {SOON}" in repr(view)


def test_an_error_warns_too() -> None:
    refusal = Reply(404, headers={"Warning": '299 - "gone tomorrow"'})
    with liar({"/tags/list": refusal}) as server:
        with Registry(server.address) as registry, pytest.raises(NotFound):
            list(registry.tags("app"))
        assert registry.warnings == ("gone tomorrow",)


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        ('299 - "one", 299 - "two"', ["one", "two"]),
        ('299 - "same", 299 - "same"', ["same"]),
        ('299 - "dated" "Wed, 21 Oct 2026 07:28:00 GMT"', ["dated"]),
        ('299 - "a, 299 - \\"b\\""', ['a, 299 - "b"']),
        ('110 anderson/1.3.37 "Response is stale"', []),
        ('1299 - "x", 299 proxy "y", 299 - z, 299 -', []),
        ('299 - "a\tb\x1b[31m"', ["ab[31m"]),
        ('299 - "' + "x" * 5000 + '"', []),
        (", ".join(f'299 - "{number}"' for number in range(400)), [str(n) for n in range(100)]),
    ],
)
def test_only_what_the_spec_calls_a_warning_is_one(line: str, texts: list[str]) -> None:
    answer = Reply(200, b'{"tags": []}', {"Warning": line})
    with liar({"/tags/list": answer}) as server:
        with Registry(server.address) as registry:
            list(registry.tags("app"))
            list(registry.tags("app"))
        assert list(registry.warnings) == texts
