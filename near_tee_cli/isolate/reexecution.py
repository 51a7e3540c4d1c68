"""Executing a bundle again in a child: checks 14 and 15 of a verifier that is not to die of them.

The child compiles every contract of the bundle before it executes the first, so that what it compiled can be kept. What
it hands back is JSON and parsed strictly. A child that dies decides nothing: the answer is that it cannot be told, with
the word for how it died.
"""

from collections.abc import Callable, Mapping
from typing import Any

from near_tee_cli.attest.status import Status
from near_tee_cli.errors import BadInputError, HostError
from near_tee_cli.isolate.bounds import Bounds
from near_tee_cli.isolate.child import TIMEOUT, Child, Death, Job, Paths
from near_tee_cli.isolate.lending import Lent, Preparing, SealingMachine, make_ready
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.proof.bundle import Bundle
from near_tee_cli.proof.checks import COMPLETENESS, RE_EXECUTION
from near_tee_cli.proof.reexecution import Executed, execute_again
from near_tee_cli.proof.report import CheckResult
from near_tee_cli.proof.statement import Parsed
from near_tee_cli.vm.engine_thread import on_contract_thread

MAX_ANSWER_BYTES = 1 << 20

Prepare = Callable[[Lent | None], tuple[Preparing, Mapping[str, Any]]]
"""Makes a machine, in the child, and what is to be said of it: plain JSON values."""


class IsolatedExecutor:
    """An `Executor` whose executions happen in children, one for each bundle."""

    def __init__(
        self, prepare: Prepare, *, bounds: Bounds, paths: Paths, lend: Callable[[], Lent | None] = lambda: None
    ) -> None:
        """`lend` gives what one child gets of the cache of compiled code."""
        self._prepare = prepare
        self._lend = lend
        self._bounds = bounds._replace(output_bytes=MAX_ANSWER_BYTES)
        self._paths = paths
        self.said: Mapping[str, Any] = {}
        """What the last machine had said of it, and `confined`."""

    @property
    def seconds(self) -> float:
        """How long one child may take."""
        return self._bounds.wall_seconds

    def __call__(
        self,
        bundle: Bundle,
        parsed: list[Parsed],
        hashes: list[bytes],
        *,
        codes: Mapping[bytes, bytes],
        max_gas: int,
    ) -> Executed:
        """See `Executor`. Raises `HostError` when the machine cannot run in the child."""
        child = self.starter(bundle, parsed, hashes, codes=codes, max_gas=max_gas)()
        try:
            return self.executed(child.wait())
        finally:
            child.abandon()

    def starter(
        self,
        bundle: Bundle,
        parsed: list[Parsed],
        hashes: list[bytes],
        *,
        codes: Mapping[bytes, bytes],
        max_gas: int,
    ) -> Callable[[], Child]:
        """What starts a child that executes `bundle` again; its answer is for `executed`."""

        def start() -> Child:
            lent = self._lend()
            job = self._job(lent, bundle, parsed, hashes, codes=codes, max_gas=max_gas)
            return Child(job, bounds=self._bounds, paths=self._paths, lent=lent)

        return start

    def _job(
        self,
        lent: Lent | None,
        bundle: Bundle,
        parsed: list[Parsed],
        hashes: list[bytes],
        *,
        codes: Mapping[bytes, bytes],
        max_gas: int,
    ) -> Job:
        def execute() -> bytes:
            try:
                machine, said = self._prepare(lent)
                if lent is not None:
                    make_ready(bundle, codes, machine)
                sealing = machine if lent is None else SealingMachine(machine, lent)
                executed = execute_again(bundle, parsed, hashes, codes=codes, max_gas=max_gas, machine=sealing)
            except HostError as error:
                return cj.dumps({"host": {"code": error.code, "message": error.message}})
            results = [[one.number, one.status.value, one.detail, one.code] for one in executed.results]
            return cj.dumps({"results": results, "said": dict(said)})

        return lambda confined: cj.dumps({"confined": list(confined)}) + on_contract_thread(execute)

    def executed(self, answer: bytes | Death) -> Executed:
        """What the answer of a child says. Raises `HostError` when the machine could not run in it."""
        executed, said = read_answer(answer)
        self.said = said or self.said
        return executed


def read_answer(answer: bytes | Death) -> tuple[Executed, Mapping[str, Any]]:
    """What a child's answer says of its bundle, and of its machine (nothing when it cannot be read).

    Raises `HostError` when the machine could not run in the child.
    """
    if isinstance(answer, Death):
        return _not_told(answer), {}
    try:
        first, _, second = answer.partition(b"\n")
        confined = cj.array(cj.mapping(cj.loads(first, "the answer"), "the answer").get("confined"), "confined")
        document = cj.mapping(cj.loads(second, "the answer"), "the answer")
        if "host" in document:
            host = cj.mapping(document["host"], "host")
            raise HostError(cj.string(host.get("message"), "message"), code=cj.string(host.get("code"), "code"))
        said = {**cj.mapping(document.get("said"), "said"), "confined": confined}
        return Executed(_results(cj.array(document.get("results"), "results"))), said
    except BadInputError as error:
        return _not_told(Death("child-crashed", f"the child's answer cannot be read: {error.message}")), {}


def _results(items: list[object]) -> tuple[CheckResult, ...]:
    """Checks 14 and 15 in this order, all passed but possibly the last. Raises `BadInputError` for anything else."""
    found = []
    for check, item in zip((RE_EXECUTION, COMPLETENESS), items, strict=False):
        fields = cj.array(item, "result")
        if len(fields) != 4 or fields[0] != check.number:
            raise BadInputError("the results are not those of checks 14 and 15")
        status = _STATUSES.get(cj.string(fields[1], "status"))
        code = None if fields[3] is None else cj.string(fields[3], "code")
        if status is None or (code is None) != (status is Status.PASSED):
            raise BadInputError("a result is neither passed nor says why not")
        found.append(CheckResult(check.number, check.name, status, cj.string(fields[2], "detail"), code))
    complete = len(found) == len(items) and (
        len(found) == 2 or (len(found) == 1 and found[0].status is not Status.PASSED)
    )
    if not complete or any(result.status is not Status.PASSED for result in found[:-1]):
        raise BadInputError("the results do not end where they should")
    return tuple(found)


_STATUSES = {status.value: status for status in Status}


def _not_told(death: Death) -> Executed:
    code = "too-expensive" if death.code == TIMEOUT else death.code
    told = f"executing again: {death.message}"
    return Executed((CheckResult(RE_EXECUTION.number, RE_EXECUTION.name, Status.NOT_MADE, told, code),))
