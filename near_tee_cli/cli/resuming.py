"""Going on from a state in which yields wait: with data, by a call that resumes, or until the time is over.

Nothing is added to the state unless the line says so, so that a step begins exactly where its parent ended.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from near_tee_cli.cli import additions, arguments, files, units
from near_tee_cli.cli.call import Asked, Surroundings, asked, max_blocks
from near_tee_cli.cli.context_options import RESUME_CALL, complete
from near_tee_cli.cli.execution import Execution, Followed, execute, execution_of, follow, is_in_flight
from near_tee_cli.cli.parameters import Given
from near_tee_cli.cli.receipt_id import receipt_id
from near_tee_cli.cli.results import block_values, call_json, execution_result
from near_tee_cli.cli.snapshot_input import read_state
from near_tee_cli.cli.start import Start, add_to, advanced, next_block
from near_tee_cli.cli.yield_choice import choose, require_not_resumed, require_unanswered
from near_tee_cli.errors import BadInputError, NotResumableError, UsageError
from near_tee_cli.primitives import base58
from near_tee_cli.primitives.account_id import SYSTEM
from near_tee_cli.primitives.canonical_json import base64_text
from near_tee_cli.primitives.schema.account import decode_account
from near_tee_cli.primitives.schema.receipt import PROMISE_RESUME, DataReceipt, Receipt
from near_tee_cli.primitives.schema.wire import NO_HASH
from near_tee_cli.runtime.actions.contracts import code_hash_of
from near_tee_cli.runtime.chunk import Machine
from near_tee_cli.runtime.yield_history import EXECUTED, PENDING, TIMED_OUT, Yield, waiting
from near_tee_cli.state import keys
from near_tee_cli.state.overlay import Overlay
from near_tee_cli.state.trie import Trie
from near_tee_cli.workspace.snapshots import world_of
from near_tee_cli.workspace.steps import world_after

_DATA_FLAGS = {"data": "--data", "data_file": "--data-file", "data_base64": "--data-base64", "data_hex": "--data-hex"}


class Resumed(NamedTuple):
    """What going on led to."""

    result: dict[str, Any]
    execution: Execution
    wanted: Asked | None
    """The call that resumed, if it was one."""
    target: Yield | None
    """The yield that was meant, as it is afterwards."""
    answered: tuple[Yield, ...]
    """The yields that waited before and have been resumed or timed out."""


def begin_from(given: Given) -> Start:
    """The state that a line of `resume` goes on from. Raises `BadInputError`, `StateError` and `UnsupportedError`."""
    found = read_state(given["source"], writing=given["in_place"])
    if found.stored is None:
        world = world_of(found.snapshot)
        history = waiting(Trie(world.store, world.root))
    else:
        world = world_after(found.stored.step)
        history = found.stored.step.yields
    last = found.snapshot.block
    around = surroundings(given)
    if last is not None and around.block_height is not None and around.block_height <= last.height:
        raise UsageError(
            f"--block-height is {around.block_height}, the state is after block {last.height}", where="--block-height"
        )
    if around.minimum_stake is not None:
        world.chain = world.chain._replace(minimum_stake=around.minimum_stake)
    block = next_block(world.config, last, around)
    root = world.root
    notes = add_to(world, around)
    if world.root != root:
        notes = (*notes, "the step does not begin where its parent ended: something was put into the state")
    parent = None if found.stored is None else found.stored.digest
    return Start(world, block, last, notes, found.form, parent, history)


def surroundings(given: Given) -> Surroundings:
    """What a line of `resume` says of the next block."""

    def number(name: str) -> int | None:
        text = given[name]
        return None if text is None else units.number(text, "--" + name.replace("_", "-"))

    timestamp, seed, stake = given["block_timestamp"], given["seed"], given["minimum_stake"]
    return Surroundings(
        protocol_version=None,
        chain_id=None,
        validators=None,
        minimum_stake=None if stake is None else units.near(stake, "--minimum-stake"),
        block_height=number("block_height"),
        block_timestamp=None if timestamp is None else units.timestamp(timestamp, "--block-timestamp"),
        epoch_height=number("epoch_height"),
        gas_price=number("gas_price"),
        random_seed=None if seed is None else units.seed(seed, "--seed"),
        balance=None,
        locked_balance=None,
        storage_usage=None,
        accounts=additions.accounts(given["account"], "--account") or None,
        contracts=additions.contracts(additions.contract_paths(given["with"], "--with")) or None,
        state_path=given["source"],
        in_place=given["in_place"],
    )


def resume(begin: Start, given: Given, machine: Machine) -> Resumed:
    """Go on as a line says. Raises `NotResumableError`, `UsageError` and whatever applying a block raises."""
    limit = max_blocks(given)
    ways = [name for name in ("call", "timeout", *_DATA_FLAGS) if given[name] is not None and given[name] is not False]
    if len(ways) != 1:
        flags = " and ".join(f"--{name.replace('_', '-')}" for name in ways)
        told = f"{flags} exclude one another" if ways else "nothing says how to go on"
        raise UsageError(told, hint="one of --data, --data-file, --data-base64, --data-hex, --call and --timeout")
    if given["call"] is None:
        for parameter in RESUME_CALL:
            if given[parameter.name] not in (None, False, ()):
                raise UsageError(f"{parameter.flags[0]} belongs to --call", where=parameter.flags[0])
    if given["call"] is not None:
        return _call(begin, given, machine)
    target = _chosen(begin, given)
    if given["timeout"]:
        return _time_out(begin, target, machine, max_blocks=limit)
    return _deliver(begin, target, data_of(given), machine=machine, max_blocks=limit)


def _chosen(begin: Start, given: Given) -> Yield:
    ids = {
        name: None if given[name] is None else units.hash32(given[name], "--" + name.replace("_", "-"))
        for name in ("data_id", "yield_id")
    }
    account_id = None if given["contract"] is None else units.account(given["contract"], "--contract")
    return choose(begin.history, data_id=ids["data_id"], yield_id=ids["yield_id"], account_id=account_id)


def data_of(given: Given) -> bytes:
    """The payload that a line gives. Raises `UsageError` and, for a file, `BadInputError`."""
    if given["data"] is not None:
        return str(given["data"]).encode("utf-8", "surrogateescape")
    if given["data_file"] is not None:
        return files.read(given["data_file"], "the data", max_bytes=files.MAX_ARGS_BYTES)
    if given["data_hex"] is not None:
        return arguments.from_hex(given["data_hex"], "--data-hex")
    return arguments.from_base64(given["data_base64"], "--data-base64")


def _deliver(begin: Start, target: Yield, data: bytes, *, machine: Machine, max_blocks: int) -> Resumed:
    """Bring `data` in as the receipt that a resume sends."""
    require_unanswered(target)
    limit = begin.world.config.vm.max_yield_payload_size
    if len(data) > limit:
        raise NotResumableError(
            f"the data has {len(data)} bytes, and no contract can resume with more than {limit}",
            code="payload-too-long",
        )
    receipt = Receipt(target.account_id, target.account_id, NO_HASH, DataReceipt(PROMISE_RESUME, target.data_id, data))
    identity = receipt_id(
        receipt,
        begin.block,
        chain_id=begin.world.chain.chain_id,
        protocol_version=begin.world.config.protocol_version,
        pre_state_root=begin.world.root,
    )
    receipt = receipt._replace(receipt_id=identity)
    followed = follow(begin.world, begin.block, receipts=(receipt,), machine=machine, max_blocks=max_blocks)
    more = {"data": base64_text(data), "resume_receipt_id": base58.encode(identity)}
    return _ended(begin, target, followed, entry="resume", more=more)


def _time_out(begin: Start, target: Yield, machine: Machine, *, max_blocks: int) -> Resumed:
    """Apply what is in flight, then the block at which the time of `target` is over, and what follows from it."""
    if target.status != TIMED_OUT:
        require_unanswered(target)
    followed = None
    block = begin.block
    expires_at = target.expires_at
    if expires_at is not None and target.status == PENDING and block.height < expires_at:
        if is_in_flight(begin.world):
            followed = follow(begin.world, block, machine=machine, max_blocks=max_blocks)
            block = followed.transitions[-1].block
            block = advanced(block, max(block.height + 1, expires_at))
        else:
            block = advanced(block, expires_at)
    if followed is None or followed.settled:
        rest = follow(begin.world, block, machine=machine, max_blocks=max_blocks)
        followed = rest if followed is None else followed.then(rest)
    return _ended(begin, target, followed, entry="timeout", more={})


def _ended(begin: Start, target: Yield, followed: Followed, *, entry: str, more: Mapping[str, Any]) -> Resumed:
    execution = execution_of(followed, target.receipt_id, call_id=target.receipt_id, history=begin.history)
    about = {
        "contract_id": target.account_id,
        "method_name": target.method_name,
        "args": base64_text(target.args),
        "gas": target.gas,
        "deposit": str(target.deposit),
        "entry": entry,
        "entry_id": base58.encode(target.receipt_id),
        "data_id": base58.encode(target.data_id),
        "yield_id": None if target.yield_id is None else base58.encode(target.yield_id),
        **more,
        **block_values(begin.world, execution.transitions[0].block),
        "defaults": [],
    }
    result = execution_result(about, execution, attached=target.gas)
    after = next(one for one in execution.yields if one.name == target.name)
    return Resumed(result, execution, None, after, _answered(begin, execution))


def _answered(begin: Start, execution: Execution) -> tuple[Yield, ...]:
    before = {one.name for one in begin.history if one.status == PENDING}
    return tuple(one for one in execution.yields if one.name in before and one.status != PENDING)


def _call(begin: Start, given: Given, machine: Machine) -> Resumed:
    """Make the call that resumes, as anybody may make it."""
    named = given["data_id"] is not None or given["yield_id"] is not None
    target = _chosen(begin, given) if named else None
    contract_id = _contract(begin, given, target)
    code = _code(begin, contract_id)
    filled = complete(
        given,
        contract=contract_id,
        method=given["call"],
        protocol_version=str(begin.world.config.protocol_version),
        account=(),
        **{"with": ()},
    )
    wanted = asked(filled, code=code)
    _require_accounts(begin, wanted)
    if target is not None:
        require_not_resumed(target)
    execution = execute(begin, wanted.call, machine)
    result = execution_result(call_json(wanted, begin, execution), execution, attached=wanted.call.gas)
    after = None
    if target is not None:
        after = next(one for one in execution.yields if one.name == target.name)
    return Resumed(result, execution, wanted, after, _answered(begin, execution))


def _contract(begin: Start, given: Given, target: Yield | None) -> str:
    """The account to call: the one named, else the one that waits."""
    if given["contract"] is not None:
        return units.account(given["contract"], "--contract")
    if target is not None:
        return target.account_id
    accounts = {one.account_id for one in begin.history if one.status != EXECUTED}
    accounts = accounts or {one.account_id for one in begin.history}
    if len(accounts) != 1:
        told = "yields of several accounts wait" if accounts else "no yield waits"
        raise UsageError(f"{told}; --contract says which account to call", where="--contract")
    return accounts.pop()


def _code(begin: Start, account_id: str) -> bytes:
    """The code that the account runs, nothing when it has none."""
    state = Trie(begin.world.store, begin.world.root)
    stored = state.get(keys.account(account_id))
    if stored is None:
        return b""
    chain_id = begin.world.chain.chain_id
    _, row = code_hash_of(Overlay(state), account_id, account=decode_account(stored), chain_id=chain_id)
    return (state.get(row) if row else None) or b""


def _require_accounts(begin: Start, wanted: Asked) -> None:
    """Refuse accounts that the state lacks: on chain nobody calls from an account that is not there."""
    call = wanted.call
    state = Trie(begin.world.store, begin.world.root)
    names = (call.signer_id,) if call.signing_key is not None else (call.predecessor_id, call.signer_id)
    for name in dict.fromkeys(names):
        if name != SYSTEM and state.get(keys.account(name)) is None:
            raise BadInputError(
                f"there is no account {name} in this state",
                code="unknown-account",
                hint=f"--account {name}='10 NEAR' makes it, best before the yield",
            )
