"""Results shown as they come: lines for programs, a bar on a terminal, lines for people."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from near_tee_cli.cli.terminal import is_terminal

Advance = Callable[[], None]


@contextmanager
def bar(what: str, total: int | None, *, wanted: bool) -> Iterator[tuple[Advance, bool]]:
    """What is to be called for each of `total` steps, and whether a bar moves then: on a terminal, if it is `wanted`.

    It draws itself when it is moved and at no other time: whatever starts children has no second thread.
    """
    if not wanted or not is_terminal(sys.stderr):
        yield (lambda: None), False
        return
    from rich.console import Console
    from rich.progress import Progress

    shared = is_terminal(sys.stdout)
    with Progress(console=Console(stderr=True), transient=True, auto_refresh=False, redirect_stdout=shared) as progress:
        task = progress.add_task(what, total=total)
        yield (lambda: progress.update(task, advance=1, refresh=True)), True


def json_line(result: Mapping[str, Any]) -> str:
    """`result` as a line of JSON, ASCII as all that programs are told."""
    return json.dumps(result, sort_keys=True, separators=(",", ":"))


def say(line: str) -> None:
    """A line that is read at once; of text that is ours or went through `plain`."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
