"""What comes back from a child is parsed strictly, and a death decides nothing."""

import json

import pytest

from near_tee_cli.errors import HostError
from near_tee_cli.isolate.bounds import Bounds
from near_tee_cli.isolate.child import Death, Paths
from near_tee_cli.isolate.reexecution import IsolatedExecutor
from near_tee_cli.proof.report import Status

PASSED = [[14, "passed", "fine", None], [15, "passed", "fine", None]]


def answered(answer):
    """An executor whose child answers with these bytes, or dies, and its results."""
    executor = IsolatedExecutor(lambda: None, bounds=Bounds(), paths=Paths((), ()))
    return executor, [(one.number, one.status, one.code) for one in executor.executed(answer).results]


def lines(second, first=b'{"confined":["seccomp"]}'):
    return first + b"\n" + (second if isinstance(second, bytes) else json.dumps(second).encode())


def test_results() -> None:
    executor, results = answered(lines({"results": PASSED, "said": {"engine": {"a": 1}}}))
    assert results == [(14, Status.PASSED, None), (15, Status.PASSED, None)]
    assert executor.said == {"engine": {"a": 1}, "confined": ["seccomp"]}
    failed = [[14, "failed", "other outcomes", "replay-mismatch"]]
    assert answered(lines({"results": failed, "said": {}}))[1] == [(14, Status.FAILED, "replay-mismatch")]
    late = [PASSED[0], [15, "not-made", "unknown", "missing-code"]]
    assert answered(lines({"results": late, "said": {}}))[1][1] == (15, Status.NOT_MADE, "missing-code")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{}",
        lines(b""),
        lines({}),
        lines({"results": [], "said": {}}),
        lines({"results": PASSED[:1], "said": {}}),
        lines({"results": PASSED[1:], "said": {}}),
        lines({"results": PASSED[::-1], "said": {}}),
        lines({"results": [*PASSED, PASSED[1]], "said": {}}),
        lines({"results": [[14, "passed", "fine", "code"], PASSED[1]], "said": {}}),
        lines({"results": [[14, "failed", "why", None]], "said": {}}),
        lines({"results": [[14, "failed", "why", "code"], PASSED[1]], "said": {}}),
        lines({"results": [[14, "done", "fine", None], PASSED[1]], "said": {}}),
        lines({"results": [[14, "passed", 5, None], PASSED[1]], "said": {}}),
        lines({"results": [["14", "passed", "fine", None], PASSED[1]], "said": {}}),
        lines({"results": PASSED}),
        lines({"results": PASSED, "said": {}}, b"[]"),
        b"\xff" * 100,
    ],
)
def test_answers_that_nobody_would_give(answer) -> None:
    assert answered(answer)[1] == [(14, Status.NOT_MADE, "child-crashed")]


def test_deaths() -> None:
    assert answered(Death("timeout", "slow"))[1] == [(14, Status.NOT_MADE, "too-expensive")]
    assert answered(Death("killed", "SIGSEGV"))[1] == [(14, Status.NOT_MADE, "killed")]
    with pytest.raises(HostError) as caught:
        answered(lines({"host": {"code": "host-engine", "message": "no engine"}}))
    assert caught.value.code == "host-engine"
