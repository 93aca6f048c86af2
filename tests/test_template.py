"""Go templates as docker's --format takes them; results as docker 28.2.2 gives them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerlab.engine.commands.template import ExecuteError, ParseError, Template

DATA = {
    "Id": "abc",
    "Name": "/registry",
    "State": {"Status": "running", "Running": True, "Dead": False, "Pid": 42},
    "Args": ["serve", "config.yml"],
    "Ports": {"5000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "5050"}], "80/tcp": None},
    "Mounts": [{"Type": "volume", "Name": "images"}, {"Type": "bind", "Name": ""}],
    "Size": 1.5,
    "Nothing": None,
    "Label": {"a": "b"}.get,
}


@pytest.mark.parametrize(
    ("template", "result"),
    [
        ("plain", "plain"),
        ("{{.Name}} {{.State.Status}}", "/registry running"),
        ("{{.State}}", "map[Dead:false Pid:42 Running:true Status:running]"),
        ("{{.Args}} {{.Nothing}} {{.Size}}", "[serve config.yml] <no value> 1.5"),
        ("{{json .Args}}", '["serve","config.yml"]'),
        ('{{json "<&>"}}', '"<&>"'),
        ("{{index .Args 1}}", "config.yml"),
        ('{{(index (index .Ports "5000/tcp") 0).HostPort}}', "5050"),
        ('{{index .Ports "nope"}}', "<no value>"),
        (
            "{{range $p, $c := .Ports}}{{$p}}={{if $c}}{{(index $c 0).HostPort}}{{end}};{{end}}",
            "5000/tcp=5050;80/tcp=;",
        ),
        ('{{range .Mounts}}{{.Type}} {{.Name}}{{"\\n"}}{{end}}', "volume images\nbind \n"),
        ("{{range $x := .Args}}[{{$x}}{{$.Name}}]{{end}}", "[serve/registry][config.yml/registry]"),
        ("{{range $i, $x := .Args}}{{$i}}{{$x}} {{end}}", "0serve 1config.yml "),
        ("{{range .Nothing}}x{{else}}none{{end}}", "none"),
        ("{{with .State}}{{.Pid}}{{end}}", "42"),
        ("{{with .Nothing}}x{{else}}y{{end}}", "y"),
        ("{{with $x := .Args}}{{len $x}}{{end}}", "2"),
        ("{{if .State.Dead}}a{{else if .State.Running}}b{{else}}c{{end}}d", "bd"),
        ("{{if .State.Dead}}a{{else if .Nothing}}b{{else}}c{{end}}", "c"),
        ("{{if and .State.Running (not .State.Dead)}}up{{end}}", "up"),
        ("{{or .Nothing .Name}} {{and .Name .Nothing}}", "/registry <no value>"),
        ("{{$x := .Name}}{{$x}}{{$x = 3}}{{$x}}", "/registry3"),
        ("a {{- .Id -}}  b", "aabcb"),
        ("{{/* nothing */}}x", "x"),
        ('{{"}}"}} {{`raw "text"`}}', '}} raw "text"'),
        ('{{.Name | printf "%s!" | len}}', "10"),
        ('{{printf "%q %5d|%-4s|%%|%v" .Id 4 "x" .Args}}', '"abc"     4|x   |%|[serve config.yml]'),
        ('{{printf "%d" .Id}} {{printf "%s"}}', "%!d(string=abc) %!s(MISSING)"),
        ('{{print 1 2 "a" 3}}{{println .Id 4}}', "1 2a3abc 4\n"),
        ("{{eq .Id `abc`}} {{ne .Id .Name}} {{eq 1 2 1}}", "true true true"),
        ("{{lt 1 2}} {{ge 1 2}} {{gt `b` `a`}} {{le 2 2}}", "true false true true"),
        ("{{slice .Id 1}} {{slice .Id 0 2}} {{slice .Id}}", "bc ab abc"),
        ('{{join .Args ", "}} {{split "a:b" ":"}}', "serve, config.yml [a b]"),
        ('{{upper "a"}} {{lower "A"}} {{title "ab"}} {{pad "x" 1 2}}|{{truncate .Id 2}}',
         "A a Ab  x  |ab"),
        ('{{.Label "a"}}', "b"),
        ("{{len .Ports}} {{true}} {{nil}}", "2 true <no value>"),
        ("{{.}}", None),
        ("{{.ID}}", "abc"),
    ],
)  # fmt: skip
def test_results(template: str, result: str | None) -> None:
    shown = Template(template).render(DATA)
    assert shown.startswith("map[Args:") if result is None else shown == result


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{.State.Status", "unclosed action"),
        ("{{.Name}} {{", "unclosed action"),
        ("{{nope .Id}}", 'function "nope" not defined'),
        ("{{if .Id}}", "unexpected EOF"),
        ("{{end}}", "unexpected {{end}}"),
        ("{{}}", "missing value for command"),
        ("{{.Id | }}", "missing value for command"),
        ("{{$x}}", 'undefined variable "$x"'),
        ("{{(.Id}}", "unclosed left paren"),
        ("{{.Id &}}", 'unexpected "&" in command'),
        ("{{if .Id}}{{else}}{{else}}{{end}}", "expected end; found {{else}}"),
    ],
)
def test_templates_that_go_refuses(template: str, reason: str) -> None:
    with pytest.raises(ParseError) as caught:
        Template(template)
    assert str(caught.value) == f"template: :1: {reason}"


def test_the_line_of_a_mistake() -> None:
    with pytest.raises(ParseError, match="template: :3: unclosed action"):
        Template("a\nb\n{{.Id")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{.State.Foo}}", ':1:8: executing "" at <.State.Foo>: map has no entry for key "Foo"'),
        ("{{.Foo.Bar}}", ':1:6: executing "" at <.Foo.Bar>: map has no entry for key "Foo"'),
        (
            "{{index .Args 5}}",
            ':1:2: executing "" at <index .Args 5>: error calling index: index out of range: 5',
        ),
        (
            "{{slice .Id 0 9}}",
            ':1:2: executing "" at <slice .Id 0 9>: error calling slice: index out of range: 9',
        ),
        ("{{range .Id}}{{end}}", ':1:8: executing "" at <.Id>: range can\'t iterate over abc'),
        (
            "{{.Id.Foo}}",
            ':1:5: executing "" at <.Id.Foo>: can\'t evaluate field Foo in type interface {}',
        ),
        (
            "{{.Nothing.Foo}}",
            ':1:10: executing "" at <.Nothing.Foo>: nil data; no entry for key "Foo"',
        ),
    ],
)
def test_what_is_not_there(template: str, message: str) -> None:
    with pytest.raises(ExecuteError) as caught:
        Template(template).render(DATA)
    assert str(caught.value) == f"template: {message}"


def test_a_row_has_a_type() -> None:
    with pytest.raises(ExecuteError) as caught:
        Template("{{.Foo}}").render({}, "*formatter.ContainerContext")
    assert str(caught.value) == (
        'template: :1:2: executing "" at <.Foo>: '
        "can't evaluate field Foo in type *formatter.ContainerContext"
    )


@pytest.mark.parametrize("template", ["{{len 3}}", "{{upper 3}}", "{{lt 1 `a`}}", "{{.Id 3}}",
                                      "{{index 3 4}}", "{{join 3 4}}", "{{slice}}"])  # fmt: skip
def test_wrong_arguments(template: str) -> None:
    with pytest.raises(ExecuteError, match='^template: :1:2: executing "" at <'):
        Template(template).render(DATA)


@given(st.text(alphabet='{}.()|"`$ -aIdrnge/*\\\n', max_size=30))
def test_any_text_is_a_template_or_a_clear_mistake(text: str) -> None:
    try:
        Template(text).render(DATA)
    except (ParseError, ExecuteError) as error:
        assert str(error).startswith("template: ")
