"""Where a command line becomes a command, and every end of a command an exit code.

Whatever stops a command is said in one line on stderr, `error[code]: message`, with at most one hint; with
`--json` the same stands in the document on stdout. A traceback reaches nobody: a defect of ours is reported as
one. Text of contracts and files goes through `terminal.plain` before it is shown.
"""

import os
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import CommandLine, Given
from near_tee_cli.cli.parser import HELP_FLAGS, parse
from near_tee_cli.cli.report import Audience, Report
from near_tee_cli.cli.table import COMMANDS, SUBCOMMANDS, Entry
from near_tee_cli.cli.terminal import BOLD, RED, YELLOW, Style, is_terminal, plain, style_for, warn
from near_tee_cli.errors import NearTeeError, UsageError


class _Wanted(NamedTuple):
    """How to speak, known before the line is parsed, so that its errors are said in the right way."""

    json: bool
    color: str


def leave(code: int) -> None:
    """End the process with `code`, at once: a contract may still be running after an interruption, and taking the
    interpreter apart would cost a warm call a seventh of its time. Nothing is left to be written or closed.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = output_lost() if stream is sys.stdout and code == exit_codes.OK else code
    os._exit(code)


def output_lost() -> int:
    """Stop writing to a stdout that nobody reads, quietly; the exit code that says so."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return exit_codes.CLOSED_PIPE


def run(arguments: list[str]) -> int:
    """Run one command line, write its output, and give the exit code; raises nothing."""
    wanted = _wanted(arguments)
    name = _command_name(arguments)
    try:
        _harmless_streams()
        return _dispatch(name, arguments, wanted)
    except BrokenPipeError:
        return output_lost()
    except KeyboardInterrupt:
        stopped = NearTeeError("interrupted", code="interrupted")
        code = exit_codes.INTERRUPTED
    except NearTeeError as error:
        stopped, code = error, exit_codes.of_error(error)
    except OSError as error:
        stopped = NearTeeError(f"cannot write the output: {error.strerror or error}", code="write-failed")
        code = exit_codes.BAD_INPUT
    except MemoryError:
        stopped = NearTeeError("not enough memory", code="out-of-memory")
        code = exit_codes.INTERNAL
    except Exception as error:
        stopped, code = _defect(error), exit_codes.INTERNAL
    return _say_error(name, code, stopped, wanted)


def _wanted(arguments: list[str]) -> _Wanted:
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    json = any(one in ("--json", "-j", "--output=json") for one in own) or " --output json " in f" {' '.join(own)} "
    color = "auto"
    for at, one in enumerate(own):
        if one == "--no-color":
            color = "never"
        elif one.startswith("--color"):
            value = one.partition("=")[2] or (own[at + 1] if at + 1 < len(own) else "")
            color = value if value in ("always", "never") else "auto"
    return _Wanted(json, color)


def _command_name(arguments: list[str]) -> str:
    """The command as typed, or an empty text when there is none that we know."""
    words = [one for one in arguments[:2] if not one.startswith("-")]
    if not words or words[0] not in COMMANDS:
        return ""
    if words[0] in SUBCOMMANDS:
        return " ".join(words) if words[1:] and words[1] in SUBCOMMANDS[words[0]] else words[0]
    return words[0]


def _harmless_streams() -> None:
    """Characters that the locale cannot show are escaped instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure") and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _dispatch(name: str, arguments: list[str], wanted: _Wanted) -> int:
    if not arguments or arguments[0] in HELP_FLAGS:
        return _overview("", "near-tee COMMAND ...", COMMANDS, wanted)
    if not name:
        raise _unknown(arguments[0], COMMANDS, "near-tee --help")
    table, rest = COMMANDS, arguments[1:]
    if name in SUBCOMMANDS:
        table = SUBCOMMANDS[name]
        if not rest or rest[0] in HELP_FLAGS:
            return _overview(COMMANDS[name].summary, f"near-tee {name} COMMAND ...", table, wanted)
        raise _unknown(rest[0], table, f"near-tee {name} --help")
    if " " in name:
        group, _, word = name.partition(" ")
        entry, rest = SUBCOMMANDS[group][word], arguments[2:]
    else:
        entry = table[name]
    module = _module(entry)
    line: CommandLine = module.LINE
    if _asks_for_help(rest):
        return _help(line, wanted)
    return _execute(line, module.execute, parse(line, rest))


def _asks_for_help(arguments: list[str]) -> bool:
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return any(one in HELP_FLAGS for one in own)


def _module(entry: Entry) -> ModuleType:
    """The module of a command, imported now and no earlier."""
    name = f"near_tee_cli.cli.commands.{entry.module}"
    __import__(name)
    return sys.modules[name]


def _execute(line: CommandLine, execute: Callable[[Given], Report], given: Given) -> int:
    if given["output"] not in (None, "json", "text"):
        raise UsageError(f"--output is {given['output']!r}, not json or text", where="--output")
    if given["color"] not in (None, "auto", "always", "never"):
        raise UsageError(f"--color is {given['color']!r}, not auto, always or never", where="--color")
    color = "never" if given["no_color"] else given["color"] or "auto"
    wanted = _Wanted(given["json"] or given["output"] == "json" or given.get("out") == "-", color)
    if line.executes and not any(given.get(name) for name in line.children_with):
        from near_tee_cli.vm.engine_thread import on_contract_thread

        report: Report = on_contract_thread(lambda: execute(given))
    else:
        report = execute(given)
    _show(line.name, report, given, wanted)
    return report.exit_code


def _show(name: str, report: Report, given: Given, wanted: _Wanted) -> None:
    if not given["quiet"]:
        style = style_for(sys.stderr, wanted.color)
        for warning in report.warnings:
            warn(f"{style('warning', YELLOW)}: {plain(warning)}")
    if report.error is not None and not report.answered:
        _say(report.error, style_for(sys.stderr, wanted.color))
    if report.document is not None:
        sys.stdout.write(report.document)
    elif wanted.json:
        from near_tee_cli.cli import json_output

        text = json_output.document(
            name,
            report.exit_code,
            result=report.result,
            error=report.error,
            warnings=report.warnings,
            engine=report.engine,
        )
        sys.stdout.write(text + "\n")
    else:
        audience = Audience(style_for(sys.stdout, wanted.color), quiet=given["quiet"], verbose=given["verbose"])
        sys.stdout.write("".join(text + "\n" for text in report.lines(audience)))
    sys.stdout.flush()


def _say_error(name: str, code: int, error: NearTeeError, wanted: _Wanted) -> int:
    members = {"code": error.code, "message": error.message, "hint": error.hint, "where": error.where}
    _say(members, style_for(sys.stderr, wanted.color))
    if wanted.json:
        from near_tee_cli.cli import json_output

        try:
            sys.stdout.write(json_output.document(name, code, error=members) + "\n")
            sys.stdout.flush()
        except OSError:
            output_lost()
    return code


def _say(error: Mapping[str, Any], style: Style) -> None:
    """The error line and its hint."""
    message, where, hint = error["message"], error["where"], error["hint"]
    place = f" ({plain(where)})" if where and where not in message else ""
    label = style(f"error[{error['code']}]", RED)
    warn(f"{label}: {plain(message)}{place}")
    if hint:
        warn(f"{style('hint', BOLD)}: {plain(hint)}")


def _defect(error: Exception) -> NearTeeError:
    """What is said of an exception that nobody expected: its kind, its text and the line it came from."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = None
    if last is not None:
        module = last.tb_frame.f_globals.get("__name__", "?")
        place = f"{module}:{last.tb_lineno}"
    return NearTeeError(
        f"a defect of near-tee: {type(error).__name__}: {error}"[:500],
        code="internal",
        hint="please report it, with the command line and the files it needs",
        where=place,
    )


def _unknown(word: str, table: dict[str, Entry], help_command: str) -> UsageError:
    from difflib import get_close_matches

    near = get_close_matches(word, table, n=1)
    hint = f"did you mean {near[0]}?" if near else f"see: {help_command}"
    kind = "option" if word.startswith("-") else "command"
    return UsageError(f"there is no {kind} {word!r}", code=f"unknown-{kind}", hint=hint)


def _overview(about: str, usage: str, table: dict[str, Entry], wanted: _Wanted) -> int:
    """The help of a table of commands; written here, so that it needs no parser."""
    style = style_for(sys.stdout, wanted.color)
    width = max(map(len, table))
    lines = [
        about or "Execute NEAR contracts outside the chain exactly as the chain would, prove it, verify it offline.",
        "",
        f"{style('Usage:', BOLD)} {usage}",
        "",
        style("Commands:", BOLD),
        *(f"  {style(name.ljust(width), BOLD)}  {entry.summary}" for name, entry in table.items()),
        "",
        f"{usage.removesuffix(' ...')} --help explains a command; near-tee --version says which this is.",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
    return exit_codes.OK


def _help(line: CommandLine, wanted: _Wanted) -> int:
    from near_tee_cli.cli.parser import help_text

    rich = wanted.color != "never" and is_terminal(sys.stdout) and not os.environ.get("NO_COLOR")
    sys.stdout.write(help_text(line, rich=rich).rstrip("\n") + "\n")
    sys.stdout.flush()
    return exit_codes.OK
