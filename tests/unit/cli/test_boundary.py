"""Command lines in, exit codes and streams out, without any command that executes."""

import json
import os
import subprocess
import sys

import pytest

from near_tee_cli import __version__
from near_tee_cli.cli import boundary, exit_codes
from near_tee_cli.cli.parameters import OUTPUT, CommandLine
from near_tee_cli.cli.report import Report
from near_tee_cli.cli.table import COMMANDS, SUBCOMMANDS
from near_tee_cli.errors import (
    BadInputError,
    EvidenceError,
    HostError,
    InconsistentStateError,
    MissingNodeError,
    NearTeeError,
    UnsupportedError,
    UsageError,
    WriteError,
)


@pytest.fixture
def command(monkeypatch):
    """Puts a function in the place of every command."""

    def put(function):
        module = type(sys)("command")
        module.LINE = CommandLine("run", "", "Does it.", OUTPUT)
        module.execute = function
        monkeypatch.setattr(boundary, "_module", lambda entry: module)

    return put


def fine(given):
    return Report(0, {"value": 1}, lambda audience: ["one line", f"verbose {audience.verbose}"], warnings=("careful",))


def raising(error):
    def execute(given):
        raise error

    return execute


def test_text_and_warnings_go_to_different_streams(command, capsys):
    command(fine)
    assert boundary.run(["run", "-v"]) == 0
    out, err = capsys.readouterr()
    assert out == "one line\nverbose 1\n"
    assert err == "warning: careful\n"


def test_quiet_says_no_warnings(command, capsys):
    command(fine)
    assert boundary.run(["run", "-q"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("flags", [["--json"], ["-j"], ["--output", "json"], ["--output=json"]])
def test_json_is_one_document(command, capsys, flags):
    command(fine)
    assert boundary.run(["run", *flags]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "near-tee/run/v1"
    assert (document["ok"], document["exit"], document["command"]) == (True, 0, "run")
    assert document["result"] == {"value": 1}
    assert document["error"] is None
    assert document["warnings"] == ["careful"]
    assert document["engine"]["version"] == __version__


ERRORS = [
    (UsageError("m"), exit_codes.USAGE, "usage"),
    (BadInputError("m"), exit_codes.BAD_INPUT, "bad-input"),
    (UnsupportedError("m", what="protocol-version"), exit_codes.BAD_INPUT, "unsupported-protocol-version"),
    (MissingNodeError(bytes(32)), exit_codes.BAD_INPUT, "missing-node"),
    (InconsistentStateError("m"), exit_codes.BAD_INPUT, "inconsistent-state"),
    (EvidenceError("m"), exit_codes.VERIFY_FAILED, "verify-failed"),
    (WriteError("m"), exit_codes.BAD_INPUT, "write-failed"),
    (HostError("m"), exit_codes.INTERNAL, "host-failure"),
    (NearTeeError("m"), exit_codes.INTERNAL, "internal"),
    (MemoryError(), exit_codes.INTERNAL, "out-of-memory"),
    (ZeroDivisionError("division"), exit_codes.INTERNAL, "internal"),
    (RecursionError("deep"), exit_codes.INTERNAL, "internal"),
    (KeyboardInterrupt(), exit_codes.INTERRUPTED, "interrupted"),
]


@pytest.mark.parametrize(("error", "code", "word"), ERRORS, ids=[word for *_, word in ERRORS])
def test_every_end_has_its_exit_code_and_one_line(command, capsys, error, code, word):
    command(raising(error))
    assert boundary.run(["run", "--json"]) == code
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert (document["ok"], document["exit"], document["result"]) == (False, code, None)
    assert document["error"]["code"] == word
    first, *rest = err.splitlines()
    assert first.startswith(f"error[{word}]: ")
    assert all(line.startswith("hint: ") for line in rest)
    assert "Traceback" not in err


def test_defect_names_its_place(command, capsys):
    command(raising(ZeroDivisionError("by \x1b[31mzero")))
    assert boundary.run(["run"]) == exit_codes.INTERNAL
    err = capsys.readouterr().err
    assert "ZeroDivisionError: by \\e[31mzero" in err
    assert "test_boundary" in err
    assert "\x1b" not in err


def test_hint_and_place_are_shown_once(command, capsys):
    command(raising(UsageError("bad value", hint="try\x1bthis", where="--gas")))
    boundary.run(["run"])
    assert capsys.readouterr().err == "error[usage]: bad value (--gas)\nhint: try\\ethis\n"


@pytest.mark.parametrize(
    ("arguments", "word", "hint"),
    [
        (["rum"], "unknown-command", "did you mean run?"),
        (["state", "rot"], "unknown-command", "did you mean root?"),
        (["--jsn"], "unknown-option", "see: near-tee --help"),
        (["zzz"], "unknown-command", "see: near-tee --help"),
    ],
)
def test_unknown_words(capsys, arguments, word, hint):
    assert boundary.run(arguments) == exit_codes.USAGE
    err = capsys.readouterr().err
    assert f"error[{word}]" in err
    assert hint in err


def test_help_lists_every_command(capsys):
    for arguments in ([], ["--help"], ["-h"]):
        assert boundary.run(arguments) == 0
        out = capsys.readouterr().out
        for name in COMMANDS:
            assert f"\n  {name} " in out
    assert boundary.run(["state"]) == 0
    out = capsys.readouterr().out
    for name in SUBCOMMANDS["state"]:
        assert f"\n  {name} " in out


def test_every_command_has_help(capsys):
    names = [[name] for name in COMMANDS if name not in SUBCOMMANDS]
    names += [[group, name] for group, table in SUBCOMMANDS.items() for name in table]
    for words in names:
        assert boundary.run([*words, "--help"]) == 0
        out = capsys.readouterr().out
        assert out.startswith(f"Usage: near-tee {' '.join(words)} ")
        assert "--json" in out


def test_closed_pipe_is_quiet(project):
    script = f"{sys.executable} -m near_tee_cli --help | true; exit ${{PIPESTATUS[0]}}"
    for _ in range(20):  # whether the reader is gone in time is a race; most of these lose it
        done = subprocess.run(["bash", "-c", script], capture_output=True, cwd=project, check=False)
        assert done.stderr == b""
        assert done.returncode in (0, exit_codes.CLOSED_PIPE)


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_full_disk_on_stdout(project, arguments):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "near_tee_cli", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=project,
            check=False,
        )
    assert done.returncode != 0
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("closed", "arguments", "code", "said"),
    [
        (">&-", "--version", exit_codes.CLOSED_PIPE, ""),
        (">&-", "--help", exit_codes.BAD_INPUT, "error[write-failed]: "),
        (">&-", "doctor --json", exit_codes.BAD_INPUT, "error[write-failed]: "),
        (">&-", "zzz", exit_codes.USAGE, "error[unknown-command]: "),
        ("2>&-", "--help", exit_codes.OK, ""),
        ("2>&-", "zzz", exit_codes.USAGE, ""),
        ("<&-", "--help", exit_codes.OK, ""),
        ("<&-", "verify -", exit_codes.BAD_INPUT, "error[unreadable]: "),
        ("<&- >&- 2>&-", "zzz", exit_codes.USAGE, ""),
    ],
)
def test_closed_streams(project, tmp_path, closed, arguments, code, said):
    script = f"{sys.executable} -m near_tee_cli {arguments} {closed}"
    environment = {**os.environ, "NEAR_TEE_HOME": str(tmp_path)}
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, cwd=project, env=environment, check=False
    )
    assert done.returncode == code
    assert done.stderr.startswith(said)
    assert len(done.stderr.splitlines()) <= 2


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_version(project, flag):
    done = subprocess.run(
        [sys.executable, "-m", "near_tee_cli", flag], capture_output=True, text=True, cwd=project, check=True
    )
    assert done.stdout == f"near-tee {__version__}\n"


def test_words_are_known_for_every_code():
    codes = {value for name, value in vars(exit_codes).items() if name.isupper() and isinstance(value, int)}
    assert codes == set(exit_codes.WORDS)
