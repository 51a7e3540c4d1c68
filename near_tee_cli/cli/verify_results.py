"""The verdicts on many bundles, shown as they come: for people, as lines of JSON, or for CI systems in the end."""

import sys
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import Given
from near_tee_cli.cli.progress import bar, json_line, say
from near_tee_cli.cli.report import Audience
from near_tee_cli.cli.terminal import style_for
from near_tee_cli.cli.verifying import count_of
from near_tee_cli.errors import UsageError

Entry = dict[str, Any]


def require_one_form(given: Given) -> None:
    """Refuse a line that asks for one document and for many. Raises `UsageError`."""
    if given["jsonl"] and _as_document(given):
        raise UsageError("--jsonl and --json print different things", where="--jsonl")


def collected(
    entries: Generator[Entry, None, None], given: Given, *, lines: Callable[[Entry, Audience], Sequence[str]]
) -> list[Entry]:
    """All entries up to the first that is to be the last; `lines` is how people see one."""
    color = "never" if given["no_color"] else given["color"] or "auto"
    audience = Audience(style_for(sys.stdout, color), quiet=given["quiet"], verbose=given["verbose"])
    total = count_of(given["bundles"])
    found = []
    with closing(entries), bar("verifying", total, wanted=total > 1 and not given["quiet"]) as (advance, _):
        for entry in entries:
            found.append(entry)
            if given["jsonl"]:
                say(json_line(entry))
            elif not _as_document(given):
                say("\n".join(lines(entry, audience)))
            advance()
            if given["fail_fast"] and entry["exit"] != exit_codes.OK:
                break
    return found


def _as_document(given: Given) -> bool:
    return bool(given["json"] or given["output"] == "json")


def last_line(worst: Entry, entries: Sequence[Entry], *, time: int | None, error: Mapping[str, Any] | None) -> str:
    """What `--jsonl` says of all of them."""
    counts = Counter(entry["verdict"] for entry in entries)
    told = {name: counts[name] for name in ("established", "contradicted", "inconclusive")}
    result = {"verdict": worst["verdict"], "time": time, "counts": {"bundles": len(entries), **told}}
    return json_line({"verify": result, "exit": worst["exit"], "error": error}) + "\n"


def junit_document(entries: Sequence[Entry]) -> bytes:
    """The verdicts for a CI system."""
    from near_tee_cli.batch.junit import Outcome, junit

    codes = [None if entry["exit"] == exit_codes.OK else entry["code"] or entry["verdict"] for entry in entries]
    outcomes = [Outcome(entry["path"], code, entry["message"]) for entry, code in zip(entries, codes, strict=True)]
    return junit("verify", outcomes)
