"""`replay`: apply recorded cases block by block and compare with what was recorded."""

from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import COMPILER, MANY, OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Audience, Report
from near_tee_cli.cli.terminal import GREEN, RED, YELLOW, Style, cut, plain
from near_tee_cli.errors import BadInputError, NearTeeError

LINE = CommandLine(
    name="replay",
    summary="apply recorded cases and compare with what was recorded",
    description=(
        "Apply each CASE block by block and compare everything that it expects. Ends with 7 when one differs, with 6"
        " when one is malformed or needs what is not implemented."
    ),
    parameters=(
        Parameter("cases", (), "Recorded cases.", "CASE...", kind=MANY, required=True),
        COMPILER,
        *OUTPUT,
    ),
    executes=True,
)

AGREES, DIFFERS, REFUSED, MALFORMED = "agrees", "differs", "refused", "malformed"
SHOWN = 200


def execute(given: Given) -> Report:
    """Replay every case of a line; one that cannot be read does not stop the others."""
    from near_tee_cli.cli.machine import EXECUTING, machine

    prepared = machine(given["compiler"], namespace=EXECUTING)
    results = [_one(path, prepared.machine) for path in given["cases"]]
    counts = {
        verdict: sum(entry["verdict"] == verdict for entry in results)
        for verdict in (AGREES, DIFFERS, REFUSED, MALFORMED)
    }
    code, error = _ending(results, counts)
    return Report(
        exit_code=code,
        result={"cases": results, "counts": counts},
        lines=lambda audience: _lines(results, counts, audience),
        warnings=prepared.warnings,
        engine=prepared.engine,
        error=error,
    )


def _one(path: str, machine: Any) -> dict[str, Any]:
    """What replaying the case at `path` came to."""
    from near_tee_cli.cli import files
    from near_tee_cli.workspace.cases import read_case
    from near_tee_cli.workspace.replay import replay, replay_json

    try:
        case = read_case(files.read(path, "the case", max_bytes=files.MAX_SNAPSHOT_BYTES), path)
        result = replay(case, machine=machine)
    except BadInputError as error:
        return _unusable(path, error)
    return {"path": path, **replay_json(result), "error": None}


def _unusable(path: str, error: NearTeeError) -> dict[str, Any]:
    unsupported = error.code.startswith("unsupported-")
    members = {"code": error.code, "message": error.message, "hint": error.hint, "where": error.where}
    return {
        "path": path,
        "name": None,
        "verdict": REFUSED if unsupported else MALFORMED,
        "compared": [],
        "refused": {"code": error.code, "message": error.message} if unsupported else None,
        "error": members,
    }


def _ending(results: list[dict[str, Any]], counts: dict[str, int]) -> tuple[int, dict[str, Any] | None]:
    """A difference weighs most, then a malformed case, then one that is refused by name."""
    for verdict in (DIFFERS, MALFORMED, REFUSED):
        entry = next((entry for entry in results if entry["verdict"] == verdict), None)
        if entry is None:
            continue
        if verdict == DIFFERS:
            what = f"{counts[DIFFERS]} of {len(results)} cases differ; {_difference(entry)}"
            return exit_codes.DIVERGED, _error("diverged", what, entry["path"])
        found = entry["error"] or entry["refused"]
        return exit_codes.BAD_INPUT, _error(found["code"], found["message"], entry["path"])
    return exit_codes.OK, None


def _error(code: str, message: str, path: str) -> dict[str, Any]:
    return {"code": code, "message": message, "hint": None, "where": path}


def _difference(entry: dict[str, Any]) -> str:
    first = next(compared for compared in entry["compared"] if not compared["agrees"])
    expected, actual = (cut(str(first[name]), SHOWN) for name in ("expected", "actual"))
    return f"{first['path']}: expected {expected}, found {actual}"


def _lines(results: list[dict[str, Any]], counts: dict[str, int], audience: Audience) -> list[str]:
    lines = []
    if not audience.quiet:
        many = len(results) > 1 and not audience.verbose
        shown = [entry for entry in results if not (many and entry["verdict"] == AGREES)]
        lines = [_line(entry, audience.style) for entry in shown]
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    return [*lines, summary] if len(results) > 1 or audience.quiet else lines


def _line(entry: dict[str, Any], style: Style) -> str:
    verdict = entry["verdict"]
    mark = style(verdict, {AGREES: GREEN, DIFFERS: RED, MALFORMED: RED}.get(verdict, YELLOW))
    detail = ""
    if verdict == DIFFERS:
        detail = _difference(entry)
    elif verdict == AGREES:
        detail = f"{len(entry['compared'])} comparisons"
    else:
        found = entry["error"] or entry["refused"]
        detail = f"{found['code']}: {found['message']}"
    return f"{mark}  {plain(entry['name'] or entry['path'])}  {plain(detail)}"
