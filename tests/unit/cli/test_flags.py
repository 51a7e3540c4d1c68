"""Every spelling of every flag means what its parameter means, on every command that has it."""

import importlib

import pytest

from near_tee_cli.cli.parameters import COUNT, FLAG, MANY
from near_tee_cli.cli.parser import parse
from near_tee_cli.cli.table import COMMANDS, SUBCOMMANDS
from near_tee_cli.errors import UsageError

ENTRIES = {
    **{name: entry for name, entry in COMMANDS.items() if name not in SUBCOMMANDS},
    **{f"{group} {name}": entry for group, table in SUBCOMMANDS.items() for name, entry in table.items()},
}
LINES = {
    name: importlib.import_module(f"near_tee_cli.cli.commands.{entry.module}").LINE for name, entry in ENTRIES.items()
}
SPELLINGS = [(name, one, flag) for name, line in LINES.items() for one in line.parameters for flag in one.flags]
VALUES = {FLAG: True, COUNT: 1, MANY: ("value",)}


def positionals(line):
    return ["x" for one in line.parameters if not one.flags and one.required]


@pytest.mark.parametrize(
    ("name", "parameter", "flag"), SPELLINGS, ids=[f"{name} {flag}" for name, _, flag in SPELLINGS]
)
def test_spelling(name, parameter, flag) -> None:
    words = [flag] if parameter.kind in (FLAG, COUNT) else [flag, "value"]
    required = [
        word
        for one in LINES[name].parameters
        if one.flags and one.required and one.name != parameter.name
        for word in (one.flags[0], "value")
    ]
    given = parse(LINES[name], [*positionals(LINES[name]), *required, *words])
    assert given[parameter.name] == VALUES.get(parameter.kind, "value")


@pytest.mark.parametrize("name", LINES)
def test_every_flag_is_explained_and_means_one_thing(name) -> None:
    flags = [flag for one in LINES[name].parameters for flag in one.flags]
    assert len(flags) == len(set(flags))
    assert all(one.help and one.help.endswith((".", "]", ")")) for one in LINES[name].parameters)


@pytest.mark.parametrize("command", ["run", "yield", "resume", "prove"])
def test_what_every_command_takes_that_executes(command) -> None:
    names = {one.name for one in LINES[command].parameters}
    assert {
        "with",
        "account",
        "max_blocks",
        "compiler",
        "block_height",
        "block_timestamp",
        "seed",
        "gas_price",
    } <= names


@pytest.mark.parametrize("flag", [["--state-out", "x"], ["--in-place"]])
def test_a_proof_leaves_states_alone(flag) -> None:
    with pytest.raises(UsageError):
        parse(LINES["prove"], ["c.wasm", "m", *flag])
