"""Cases applied block by block and held against what nearcore answered.

What a block came to is written in the form of the case format, and then both sides are plain JSON: every member
that the expectation has is compared, exactly and with types, and the first difference is named by its path. Not
compared is only the wording of two errors, of a block that fails as a whole and of a view.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from near_tee_cli.errors import BadInputError, InconsistentStateError, StateError, UnsupportedError
from near_tee_cli.params.store import config_at
from near_tee_cli.primitives import base58, keys
from near_tee_cli.primitives.canonical_json import base64_text
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.receipt import decode_receipt, encode_receipt
from near_tee_cli.primitives.schema.records import read_record
from near_tee_cli.primitives.schema.transaction import decode_signed_transaction
from near_tee_cli.runtime.block import ApplyResult, BlockContext, ChainContext
from near_tee_cli.runtime.chunk import Machine
from near_tee_cli.runtime.outcomes import outcome_json
from near_tee_cli.runtime.views import View
from near_tee_cli.runtime.world import Transition, World
from near_tee_cli.vm.outcome import VMOutcome, error_text
from near_tee_cli.workspace.cases import CASE_MINIMUM_STAKE, Case, CaseBlock

ViewResult = VMOutcome | None
"""What a view came to; `None` when there is no such account."""


class Verdict(Enum):
    """What replaying a case came to."""

    AGREES = "agrees"
    DIFFERS = "differs"
    REFUSED = "refused"
    """The case needs something that is not implemented; refused by name."""


class Comparison(NamedTuple):
    """One expected member: whether it agrees, and if not, where it first differs and what stands there."""

    path: str
    """Such as `blocks[2].outcomes[0].outcome.gas_burnt`."""
    agrees: bool
    expected: object
    actual: object


class Replay(NamedTuple):
    """A replayed case."""

    name: str
    verdict: Verdict
    comparisons: tuple[Comparison, ...]
    """Everything that was compared, up to and with the first block that differs."""
    refusal: UnsupportedError | None

    @property
    def first_difference(self) -> Comparison | None:
        """The first member that differs."""
        return next((comparison for comparison in self.comparisons if not comparison.agrees), None)


class AppliedBlock(NamedTuple):
    """A block of a case that was applied."""

    transition: Transition
    views: tuple[ViewResult, ...]


def world_of_case(case: Case) -> World:
    """The state that a case starts from.

    Raises `BadInputError` for records that make no sense and `UnsupportedError` for an unknown protocol version.
    """
    config = config_at(case.protocol_version)
    records = []
    for position, value in enumerate(case.records):
        try:
            records.append(read_record(value))
        except BadInputError as error:
            where = f"records[{position}]"
            raise BadInputError(f"{where}: {error.message}", code=error.code, hint=error.hint, where=where) from error
    chain = ChainContext(case.chain_id, tuple(sorted(case.validators.items())), minimum_stake=CASE_MINIMUM_STAKE)
    return World.from_records(config, chain, records=records, raw=case.raw)


def block_context(block: CaseBlock) -> BlockContext:
    """The block as the runtime sees it. Cases were recorded without a limit on the size of the storage proof."""
    return BlockContext(
        height=block.height,
        timestamp=block.timestamp,
        prev_block_hash=block.prev_block_hash,
        random_seed=block.random_seed,
        epoch_id=block.epoch_id,
        epoch_height=block.epoch_height,
        gas_price=block.gas_price,
        gas_limit=block.gas_limit,
        is_new_chunk=block.is_new_chunk,
        proof_size_limit=None,
    )


def apply_case_block(world: World, block: CaseBlock, *, machine: Machine) -> AppliedBlock:
    """Apply one block of a case to `world`, then run its views. Raises as `World.produce_block` does."""
    context = block_context(block)
    transition = world.produce_block(
        context,
        transactions=[decode_signed_transaction(raw) for raw in block.transactions],
        expired=block.expired,
        receipts=[decode_receipt(raw) for raw in block.receipts],
        forward=block.forward,
        machine=machine,
    )
    views = [world.view(View(*view), block=context, machine=machine) for view in block.views]
    return AppliedBlock(transition, tuple(views))


def replay(case: Case, *, machine: Machine, world: World | None = None) -> Replay:
    """Apply `case` and compare; `world` is what it starts from when it is not made from the case.

    Raises `BadInputError` when the case is malformed or expects nothing.
    """
    try:
        comparisons = list(_comparisons(case, machine, world=world))
    except UnsupportedError as error:
        return Replay(case.name, Verdict.REFUSED, (), error)
    agrees = all(comparison.agrees for comparison in comparisons)
    return Replay(case.name, Verdict.AGREES if agrees else Verdict.DIFFERS, tuple(comparisons), None)


def _comparisons(case: Case, machine: Machine, *, world: World | None) -> Iterator[Comparison]:
    if case.expect is None:
        raise BadInputError(f"case {case.name} expects nothing, so there is nothing to compare", code="no-expectation")
    world = world_of_case(case) if world is None else world
    if "pre_state_root" in case.expect:
        yield compare("pre_state_root", case.expect["pre_state_root"], base58.encode(world.root))
    expected_blocks = case.expect.get("blocks", [])
    if not isinstance(expected_blocks, list) or len(expected_blocks) > len(case.blocks):
        raise BadInputError(
            f"case {case.name} expects more blocks than it has", code="bad-field", where="expect.blocks"
        )
    for position, block in enumerate(case.blocks):
        expected = expected_blocks[position] if position < len(expected_blocks) else {}
        results = list(_compare_block(world, block, f"blocks[{position}]", expected=expected, machine=machine))
        yield from results
        if "error" in expected or not all(comparison.agrees for comparison in results):
            return


def _compare_block(
    world: World, block: CaseBlock, where: str, *, expected: Mapping[str, object], machine: Machine
) -> Iterator[Comparison]:
    try:
        applied = apply_case_block(world, block, machine=machine)
    except UnsupportedError:
        raise
    except (InconsistentStateError, BadInputError) as error:
        fails = "error" in expected
        yield Comparison(f"{where}.error", fails, expected.get("error"), error.message)
        return
    except StateError as error:
        yield Comparison(f"{where}.error", False, expected.get("error"), error.message)
        return
    if "error" in expected:
        yield Comparison(f"{where}.error", False, expected["error"], None)
        return
    result = applied.transition.result
    unknown = [name for name in expected if name not in _WRITERS and name != "views"]
    for name in [*(name for name in (*_WRITERS, "views") if name in expected), *unknown]:
        write = _WRITERS.get(name)
        if name == "views":
            yield from _compare_views(f"{where}.views", expected[name], applied.views)
        elif write is None:
            raise BadInputError(f"{where} expects the unknown {name}", code="bad-field", where=where)
        else:
            yield compare(f"{where}.{name}", expected[name], write(result))


def _compare_views(where: str, expected: object, views: tuple[ViewResult, ...]) -> Iterator[Comparison]:
    actual = [view_json(view) for view in views]
    if not isinstance(expected, list) or len(expected) != len(actual):
        yield compare(where, expected, actual)
        return
    for position, (wanted, found) in enumerate(zip(expected, actual, strict=True)):
        if isinstance(wanted, dict) and "error" in wanted and "error" in found:
            # The sentence is informative; that there is an error is not.
            yield compare(f"{where}[{position}]", wanted, {**found, "error": wanted["error"]})
        else:
            yield compare(f"{where}[{position}]", wanted, found)


def view_json(outcome: ViewResult) -> dict[str, object]:
    """A view as the case format writes it: a result or an error, and logs."""
    if outcome is None:
        return {"error": "no such account", "logs": []}
    logs: list[str] = list(outcome.logs)
    if outcome.aborted is not None:
        return {"error": error_text(outcome.aborted), "logs": logs}
    value = outcome.return_data if isinstance(outcome.return_data, bytes) else b""
    return {"result": base64_text(value), "logs": logs}


def result_json(result: ApplyResult) -> dict[str, object]:
    """Everything that the case format may expect of a block, but views."""
    return {name: write(result) for name, write in _WRITERS.items()}


def _congestion(result: ApplyResult) -> object:
    return {"V1": result.congestion_info._asdict()}


def _changes(result: ApplyResult) -> object:
    return [[base64_text(key), None if value is None else base64_text(value)] for key, value in result.state_changes]


def _hashes(hashes: "tuple[bytes, ...] | list[bytes]") -> list[str]:
    return sorted(map(base58.encode, hashes))


# In the order of comparing: what says most about a difference comes first.
_WRITERS: dict[str, Callable[[ApplyResult], object]] = {
    "outcomes": lambda result: [outcome_json(entry) for entry in result.outcomes],
    "state_root": lambda result: base58.encode(result.state_root),
    "outcome_root": lambda result: base58.encode(result.outcome_root),
    "outgoing_receipts": lambda result: [base64_text(encode_receipt(item)) for item in result.outgoing_receipts],
    "state_changes": _changes,
    "witness": lambda result: _hashes([sha256(item) for item in result.witness]),
    "witness_bytes": lambda result: sum(map(len, result.witness)),
    "validator_proposals": lambda result: [
        {
            "account_id": proposal.account_id,
            "public_key": keys.public_key_text(proposal.public_key),
            "stake": str(proposal.stake),
        }
        for proposal in result.validator_proposals
    ],
    "congestion_info": _congestion,
    "delayed_receipts_count": lambda result: result.delayed_receipts_count,
    "yield_timeouts": lambda result: [
        {"account_id": item.account_id, "data_id": base58.encode(item.data_id), "expires_at": item.expires_at}
        for item in result.yield_timeouts
    ],
    "balance_stats": lambda result: {name: str(amount) for name, amount in result.balance_stats._asdict().items()},
    "contract_accesses": lambda result: _hashes(result.contract_accesses),
    "contract_deploys": lambda result: _hashes(result.contract_deploys),
    "gas_burnt_total": lambda result: result.gas_burnt,
}


def compare(path: str, expected: object, actual: object) -> Comparison:
    """Hold two JSON values against each other; a difference is narrowed down to where it begins."""
    if _same(expected, actual):
        return Comparison(path, True, expected, actual)
    return _narrowed(path, expected, actual)


def _same(expected: object, actual: object) -> bool:
    """Equality that tells `1` from `true`, on any depth."""
    if type(expected) is not type(actual):
        return False
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(_same(value, actual[key]) for key, value in expected.items())
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(_same, expected, actual))
    return expected == actual


def _narrowed(path: str, expected: object, actual: object) -> Comparison:
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted({*expected, *actual}):
            if key not in expected or key not in actual or not _same(expected[key], actual[key]):
                return _narrowed(f"{path}.{key}", expected.get(key), actual.get(key))
    if isinstance(expected, list) and isinstance(actual, list):
        for position, (wanted, found) in enumerate(zip(expected, actual, strict=False)):
            if not _same(wanted, found):
                return _narrowed(f"{path}[{position}]", wanted, found)
        if len(expected) != len(actual):
            at = min(len(expected), len(actual))
            wanted = expected[at] if at < len(expected) else None
            found = actual[at] if at < len(actual) else None
            return Comparison(f"{path}[{at}]", False, wanted, found)
    return Comparison(path, False, expected, actual)


def replay_json(result: Replay) -> dict[str, object]:
    """A replay for programs: the verdict, and every comparison with both values where they differ."""
    compared: list[dict[str, object]] = []
    for comparison in result.comparisons:
        entry: dict[str, object] = {"path": comparison.path, "agrees": comparison.agrees}
        if not comparison.agrees:
            entry |= {"expected": comparison.expected, "actual": comparison.actual}
        compared.append(entry)
    refusal = result.refusal
    return {
        "name": result.name,
        "verdict": result.verdict.value,
        "compared": compared,
        "refused": None if refusal is None else {"code": refusal.code, "message": refusal.message},
    }
