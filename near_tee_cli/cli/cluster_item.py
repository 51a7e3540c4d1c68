"""`python -m near_tee_cli.cli.cluster_item`: one item in a child of a process that has nothing but its files.

For a worker whose store has threads of its own, as those in other people's clouds do: what has threads starts no
children. The item comes in on standard input, the child's answer goes out behind a line that says whether it died.
"""

import sys
from collections.abc import Mapping
from typing import Any

from near_tee_cli.batch.cluster import ProgramError, in_a_process
from near_tee_cli.cli import machine as machines
from near_tee_cli.cli.batch_jobs import answered, bounds_of, keep_missed, started
from near_tee_cli.cli.commands.prove import LINE, complete
from near_tee_cli.cli.parameters import MANY, Given
from near_tee_cli.cli.parser import parse
from near_tee_cli.errors import HostError, NearTeeError
from near_tee_cli.isolate.child import Death
from near_tee_cli.isolate.confinement import die_with_parent
from near_tee_cli.primitives import canonical_json as cj

_MODULE = "near_tee_cli.cli.cluster_item"


def main() -> None:
    """Read an item, execute it, write the answer."""
    die_with_parent()
    item: Any = cj.loads(sys.stdin.buffer.read(), "the item")
    answer: bytes | Death
    try:
        answer = proved(item)
    except NearTeeError as error:
        answer = Death(error.code, error.message)
    if isinstance(answer, Death):
        sys.stdout.buffer.write(cj.dumps({"death": list(answer)}))
    else:
        sys.stdout.buffer.write(cj.dumps({"death": None}) + answer)
    sys.stdout.buffer.flush()


def proved(item: Mapping[str, Any]) -> bytes | Death:
    """The answer of a child that proves `item`. Raises `UsageError` for values that no line of `prove` gives."""
    cache, _ = machines.code_cache(machines.EXECUTING)
    child = started(
        _given(item["values"]),
        item["files"],
        base=item["base"],
        compiler=item["compiler"],
        cache=cache,
        bounds=bounds_of(item["milliseconds"] / 1000),
    )
    answer = child.wait()
    _, bundle = answered("", answer)
    if bundle is not None:
        keep_missed(answer, bundle, compiler=item["compiler"], cache=cache)
    return answer


def _given(values: Mapping[str, Any]) -> Given:
    kinds = {parameter.name: parameter.kind for parameter in LINE.parameters}
    told = {name: tuple(value) if kinds.get(name) == MANY else value for name, value in values.items()}
    return complete({**parse(LINE, []), **told})


def proved_apart(item: Mapping[str, Any]) -> bytes | Death:
    """The same in a process of its own. Raises `HostError` when that ends without an answer."""
    try:
        head, _, answer = in_a_process(_MODULE, cj.dumps(dict(item))).partition(b"\n")
    except ProgramError as error:
        raise HostError(str(error), code="child-crashed") from error
    death: Any = cj.mapping(cj.loads(head, "the answer"), "the answer")["death"]
    return answer if death is None else Death(*death)


if __name__ == "__main__":
    main()
