"""Checks 14 and 15: every transition executed again, from the nodes, values and contracts of the bundle alone.

The same `apply` runs that made the bundle; only the store is another one, in which everything that the bundle does
not hold is unknown. What comes out is compared with what is claimed to the last bit, and what was read with what
the bundle holds.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

from near_tee_cli.attest.status import Status
from near_tee_cli.errors import (
    BadInputError,
    EvidenceError,
    InconsistentStateError,
    MissingNodeError,
    NearTeeError,
    UndecidedError,
    UnsupportedError,
)
from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.params.store import config_at
from near_tee_cli.primitives.schema.receipt import Receipt, encode_receipt
from near_tee_cli.proof.bundle import Bundle, Carried, Chunk, Code, Content, Transition
from near_tee_cli.proof.checks import COMPLETENESS, RE_EXECUTION, Check
from near_tee_cli.proof.limits import MIN_GAS_OF_INPUT
from near_tee_cli.proof.partial_state import PartialStore
from near_tee_cli.proof.report import CheckResult
from near_tee_cli.proof.statement import Parsed, roots_before
from near_tee_cli.runtime.apply import apply
from near_tee_cli.runtime.block import ApplyResult, ChainContext, Inputs
from near_tee_cli.runtime.chunk import Machine
from near_tee_cli.vm.context import VMContext
from near_tee_cli.vm.external import External
from near_tee_cli.vm.outcome import VMOutcome


class ReplayStore(PartialStore):
    """Nodes, values and contracts of one transition."""

    __slots__ = ("_codes", "_detached")

    def __init__(self, items: Mapping[bytes, bytes], codes: Mapping[bytes, bytes | None]) -> None:
        super().__init__(items)
        self._codes = {code_hash: code for code_hash, code in codes.items() if code is not None}
        self._detached = codes.keys() - self._codes.keys()

    def find(self, item_hash: bytes, /) -> bytes | None:
        """A contract. Raises `UndecidedError` when the bundle only names it, and `EvidenceError` when it does not."""
        code = self._codes.get(item_hash)
        if code is not None:
            return code
        if item_hash in self._detached:
            raise UndecidedError(f"the contract {item_hash.hex()} is named but not at hand", code="missing-code")
        raise EvidenceError(f"the contract {item_hash.hex()} is executed but not in the bundle", code="missing-code")


class MeteredMachine:
    """A machine that stops when more gas has been burnt than was allowed."""

    __slots__ = ("_left", "_machine", "_max_gas")

    def __init__(self, machine: Machine, max_gas: int) -> None:
        self._machine = machine
        self._max_gas = max_gas
        self._left = max_gas

    def run(
        self,
        code: bytes,
        code_hash: bytes,
        *,
        method: str,
        context: VMContext,
        external: External,
        config: RuntimeConfig,
    ) -> VMOutcome:
        """As the machine inside. Raises `UndecidedError` when nothing is left to spend."""
        if self._left <= 0:
            raise too_expensive(self._max_gas)
        outcome = self._machine.run(code, code_hash, method=method, context=context, external=external, config=config)
        self._left -= outcome.burnt_gas
        return outcome


def too_expensive(max_gas: int) -> UndecidedError:
    """The answer to a bundle whose execution costs more than the verifier is willing to spend."""
    return UndecidedError(f"executing again burns more than the {max_gas} gas allowed", code="too-expensive")


class Executed(NamedTuple):
    """What became of checks 14 and 15; where one of them did not pass it is the last."""

    results: tuple[CheckResult, ...]


class Executor(Protocol):
    """Whoever executes a consistent bundle again: in this process, or in one that may die of it."""

    def __call__(
        self,
        bundle: Bundle,
        parsed: list[Parsed],
        hashes: list[bytes],
        *,
        codes: Mapping[bytes, bytes],
        max_gas: int,
    ) -> Executed:
        """Checks 14 and 15 of `bundle`, whose records and node hashes are `parsed` and `hashes`.

        `codes` are contracts by their true hash, for a bundle that only names its own.
        """


def execute_again(
    bundle: Bundle,
    parsed: list[Parsed],
    hashes: list[bytes],
    *,
    codes: Mapping[bytes, bytes],
    max_gas: int,
    machine: Machine,
) -> Executed:
    """Checks 14 and 15 on `machine`. Raises `HostError` when it cannot run."""
    check = RE_EXECUTION
    try:
        for repeated in repeat(bundle, parsed, hashes, codes=codes, machine=machine, max_gas=max_gas):
            require_equal(repeated)
            check = COMPLETENESS
            require_complete(repeated, bundle)
            check = RE_EXECUTION
    except (UndecidedError, UnsupportedError) as error:
        return _ended(check, Status.NOT_MADE, error)
    except EvidenceError as error:
        return _ended(check, Status.FAILED, error)
    count = len(bundle.content.transitions)
    return Executed(
        (
            _passed(RE_EXECUTION, f"{count} blocks give the same results"),
            _passed(COMPLETENESS, "everything was read, nothing was missing"),
        )
    )


def _passed(check: Check, detail: str) -> CheckResult:
    return CheckResult(check.number, check.name, Status.PASSED, detail, None)


def _ended(check: Check, status: Status, error: NearTeeError) -> Executed:
    last = CheckResult(check.number, check.name, status, error.message, error.code)
    return Executed((_passed(RE_EXECUTION, "as far as executed"), last) if check is COMPLETENESS else (last,))


class Repeated(NamedTuple):
    """A transition executed again."""

    position: int
    transition: Transition
    result: ApplyResult


def expected_gas(bundle: Bundle) -> int:
    """What executing again is expected to burn at least, from what stands in the bundle."""
    inputs = sum(len(item.transactions) + len(item.receipts) for item in bundle.content.transitions)
    return max(bundle.claim.gas.total, MIN_GAS_OF_INPUT * inputs)


def repeat(
    bundle: Bundle,
    parsed: list[Parsed],
    hashes: list[bytes],
    *,
    codes: Mapping[bytes, bytes],
    machine: Machine,
    max_gas: int,
) -> Iterator[Repeated]:
    """Execute every transition again, each from its own part of the state.

    `codes` are contracts at hand for those that the bundle only names. Raises `UndecidedError` when it cannot be
    told, and `EvidenceError` when a transition cannot be applied.
    """
    claim, content = bundle.claim, bundle.content
    if expected_gas(bundle) > max_gas:
        raise too_expensive(max_gas)
    config = config_at(claim.protocol_version)
    chain = ChainContext(claim.network, content.validators, content.minimum_stake)
    metered = MeteredMachine(machine, max_gas)
    carried = content.carried
    forwarded: tuple[Receipt, ...] = ()
    roots = roots_before(content, claim.pre_root)
    for position, (transition, root) in enumerate(zip(content.transitions, roots, strict=True)):
        records = parsed[position]
        store = ReplayStore(
            {hashes[node]: content.nodes[node] for node in transition.nodes},
            {
                code.hash: codes.get(code.hash) if code.code is None else code.code
                for code in _codes(content, transition)
            },
        )
        inputs = Inputs(
            transactions=records.transactions,
            expired=frozenset(transition.expired),
            receipts=(*forwarded, *records.receipts) if transition.forward else records.receipts,
            congestion_info=carried.congestion_info,
            bandwidth_requests=carried.bandwidth_requests,
        )
        try:
            result = apply(
                config,
                transition.block,
                chain=chain,
                inputs=inputs,
                store=store,
                root=root,
                machine=metered,
                list_accesses=False,
            )
        except (EvidenceError, UndecidedError, UnsupportedError) as error:
            error.where = f"transition {position}"
            raise
        except (MissingNodeError, InconsistentStateError, BadInputError) as error:
            where = f"transition {position}"
            raise EvidenceError(f"{where}: {error.message}", code=error.code, where=where) from error
        yield Repeated(position, transition, result)
        forwarded = records.sent
        carried = transition.chunk.carried


def _codes(content: Content, transition: Transition) -> Iterator[Code]:
    return (content.codes[position] for position in transition.codes)


def require_equal(repeated: Repeated) -> None:
    """Check 14: the results are those claimed. Raises `EvidenceError` with the first that is not."""
    position, claimed, found = repeated
    pairs: tuple[tuple[str, object, object], ...] = (
        ("outcomes", claimed.outcomes, found.outcomes),
        ("post_root", claimed.post_root, found.state_root),
        ("changes", claimed.changes, found.state_changes),
        ("sent", claimed.sent, tuple(map(encode_receipt, found.outgoing_receipts))),
        ("chunk", claimed.chunk, chunk_of(found)),
    )
    for name, said, got in pairs:
        if said != got:
            where = f"transition {position}"
            raise EvidenceError(f"{where}: executing again gives other {name}", code="replay-mismatch", where=where)


def chunk_of(result: ApplyResult) -> Chunk:
    """The results of a block that are in no outcome, as a bundle holds them."""
    return Chunk(
        carried=Carried(result.congestion_info, result.bandwidth_requests),
        balance_stats=result.balance_stats,
        validator_proposals=result.validator_proposals,
        yield_timeouts=result.yield_timeouts,
        delayed_receipts=result.delayed_receipts_count,
    )


def require_complete(repeated: Repeated, bundle: Bundle) -> None:
    """Check 15: what was read is what the transition names, no more and no less. Raises `EvidenceError`."""
    position, claimed, found = repeated
    where = f"transition {position}"
    content = bundle.content
    held = tuple(content.nodes[node] for node in claimed.nodes)
    if held != found.witness:
        read = set(found.witness)
        unread = sum(node not in read for node in held)
        raise EvidenceError(f"{where}: {unread} nodes or values were not read", code="superfluous-node", where=where)
    if {code.hash for code in _codes(content, claimed)} != set(found.codes):
        raise EvidenceError(f"{where}: other contracts were executed", code="superfluous-code", where=where)
