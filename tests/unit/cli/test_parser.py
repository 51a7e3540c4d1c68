"""Lines of arguments: the plain reader and typer agree, and typer explains what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.cli import context_options
from near_tee_cli.cli.parameters import COUNT, FLAG, MANY, OUTPUT, CommandLine, Parameter
from near_tee_cli.cli.parser import help_text, parse, plain_line, typer_line
from near_tee_cli.errors import UsageError

LINE = CommandLine(
    name="run",
    summary="run a thing",
    description="Run a thing.",
    parameters=(
        context_options.CONTRACT_ARGUMENT,
        context_options.METHOD_ARGUMENT,
        context_options.POSITIONAL_ARGS,
        *context_options.EVERYTHING,
        Parameter("out", ("--out", "-o"), "Where.", "PATH"),
        *OUTPUT,
    ),
)
MANY_LINE = CommandLine("verify", "", "", (Parameter("bundles", (), "Files.", "B", kind=MANY, required=True), *OUTPUT))
FLAGS = sorted(flag for parameter in LINE.parameters for flag in parameter.flags)


def test_plain_line():
    values = plain_line(LINE, ["a.wasm", "--gas=30 Tgas", "call", "-q", "--validators", "a.near=1", "-v", "-v",
                               "--validator=b.near=2", "{}", "-o", "step"])  # fmt: skip
    assert values is not None
    assert (values["contract_file"], values["method"], values["positional_args"]) == ("a.wasm", "call", "{}")
    assert values["gas"] == "30 Tgas"
    assert values["validators"] == ("a.near=1", "b.near=2")
    assert values["quiet"] is True
    assert values["verbose"] == 2
    assert values["out"] == "step"
    assert values["deposit"] is None
    assert values["view"] is False


@pytest.mark.parametrize(
    "arguments",
    [
        ["a.wasm"],
        ["a.wasm", "m", "{}", "more"],
        ["a.wasm", "m", "--nonsense"],
        ["a.wasm", "m", "--gas"],
        ["a.wasm", "m", "--gas", "-1"],
        ["a.wasm", "m", "--view=yes"],
        ["a.wasm", "m", "-qv"],
        ["a.wasm", "m", "-oX"],
        ["a.wasm", "--", "m"],
        ["a.wasm", "m", "-o", "x", "-o", "x"],
        ["a.wasm", "m", "--gas=", "--gas", "1"],
    ],
)
def test_plain_line_gives_up(arguments):
    assert plain_line(LINE, arguments) is None


def test_typer_reads_what_the_plain_reader_does_not():
    values = parse(LINE, ["-qv", "a.wasm", "-ostep", "--", "-method"])
    assert (values["quiet"], values["verbose"], values["out"], values["method"]) == (True, 1, "step", "-method")
    assert parse(LINE, ["a.wasm", "m", "--block-height", "-1"])["block_height"] == "-1"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "CONTRACT.wasm"),
        (["a.wasm"], "METHOD"),
        (["a.wasm", "m", "--gass", "1"], "--gass"),
        (["a.wasm", "m", "--gas"], "--gas"),
        (["a.wasm", "m", "{}", "more"], "more"),
        (["a.wasm", "m", "--view=yes"], "--view"),
        (["a.wasm", "m", "--gas", "1", "--gas", "1"], "--gas is given 2 times"),
        (["a.wasm", "m", "--gas=1", "-q", "--gas=2"], "--gas is given 2 times"),
        (["a.wasm", "m", "-oX", "--out", "Y", "-o", "Z"], "--out is given 3 times"),
        (["a.wasm", "m", "--gas", "", "--gas", ""], "--gas is given 2 times"),
    ],
)
def test_what_is_wrong_is_explained(arguments, word):
    with pytest.raises(UsageError) as raised:
        parse(LINE, arguments)
    assert word in raised.value.message
    assert raised.value.hint == "see: near-tee run --help"


def test_flags_may_stand_twice():
    assert parse(LINE, ["a.wasm", "m", "-q", "-q"])["quiet"] is True
    values = parse(LINE, ["-qvv", "-q", "a.wasm", "m", "--validator", "a.near=1", "--validator", "a.near=1"])
    assert (values["quiet"], values["verbose"], values["validators"]) == (True, 2, ("a.near=1", "a.near=1"))


def test_many():
    assert parse(MANY_LINE, ["a", "b", "--json"])["bundles"] == ("a", "b")
    with pytest.raises(UsageError):
        parse(MANY_LINE, ["--json"])


WORDS = st.one_of(
    st.sampled_from([*FLAGS, "-", "--", "", "--args={}", "--gas=", "--view=", "-qv", "-ox", "{}", "a=b", "--x=y"]),
    st.text(alphabet="a-=. \u00e9", max_size=5),
)


@given(st.lists(WORDS, max_size=8))
def test_plain_reader_means_what_typer_means(arguments):
    values = plain_line(LINE, arguments)
    if values is not None:
        assert dict(typer_line(LINE, arguments)) == values


@given(st.lists(WORDS, max_size=6))
def test_plain_reader_of_lists_means_what_typer_means(arguments):
    values = plain_line(MANY_LINE, arguments)
    if values is not None:
        assert dict(typer_line(MANY_LINE, arguments)) == values


def test_help_names_every_flag_and_every_alias():
    text = help_text(LINE, rich=False)
    assert "Run a thing." in text
    text = "".join(text.split())  # long flags are broken at their hyphens
    for flag in FLAGS:
        assert flag in text


def test_parameters_are_distinct():
    names = [parameter.name for parameter in LINE.parameters]
    assert len(names) == len(set(names))
    assert len(FLAGS) == len(set(FLAGS))
    kinds = {parameter.kind for parameter in LINE.parameters}
    assert kinds == {"value", FLAG, COUNT, MANY}
