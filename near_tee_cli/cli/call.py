"""What a command line asks to be called: every value resolved, from the flags, the context file or the defaults.

Amounts are in yoctoNEAR, times in nanoseconds. `None` stands for what only the state can tell.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from near_tee_cli.cli import additions, arguments, defaults, files, units
from near_tee_cli.cli.context_file import NO_CONTEXT, Context, read_context
from near_tee_cli.cli.key_file import SecretKey, published_key, read_secret_key
from near_tee_cli.cli.parameters import Given
from near_tee_cli.cli.promise_results import Result, promise_results
from near_tee_cli.errors import BadInputError, UsageError
from near_tee_cli.params.features import require_supported
from near_tee_cli.params.store import config_at
from near_tee_cli.primitives import keys
from near_tee_cli.primitives.integers import U32_MAX, U128_MAX

_NOT_IN_A_VIEW = (
    "gas", "deposit", "deposit_yocto", "signer", "signer_pk", "predecessor", "refund_to", "receipt_id",
    "as_transaction", "key", "single", "gas_price", "seed", "state_out", "in_place", "out",
)  # fmt: skip
_NOT_IN_A_TRANSACTION = ("predecessor", "refund_to", "receipt_id", "signer_pk")


class Call(NamedTuple):
    """A function call, and how it enters."""

    code: bytes
    contract_id: str
    method_name: str
    args: bytes
    gas: int
    deposit: int
    signer_id: str
    signer_public_key: bytes
    """Borsh."""
    predecessor_id: str
    refund_to: str | None
    receipt_id: bytes | None
    promise_results: tuple[Result, ...]
    """What the call, as a callback, was waiting for."""
    signing_key: SecretKey | None
    """Signs a transaction; `None` when the call enters as a receipt."""
    view: bool
    max_blocks: int
    """Blocks after which a call that does not settle is left."""


class Surroundings(NamedTuple):
    """Chain, block and account as far as the line says; `None` leaves it to the snapshot or the defaults."""

    protocol_version: int | None
    chain_id: str | None
    validators: tuple[tuple[str, int], ...] | None
    minimum_stake: int | None
    block_height: int | None
    block_timestamp: int | None
    epoch_height: int | None
    gas_price: int | None
    random_seed: bytes | None
    balance: int | None
    locked_balance: int | None
    storage_usage: int | None
    accounts: tuple[tuple[str, int], ...] | None
    """Accounts that have to be there, with their balances in yoctoNEAR."""
    contracts: tuple[tuple[str, bytes], ...] | None
    """Accounts beside the contract's, with the code that they run."""
    state_path: str | None
    in_place: bool
    """Whether the state is to be changed where it lies."""


class Asked(NamedTuple):
    """All that a line asks for."""

    call: Call
    surroundings: Surroundings
    given: Mapping[str, bool]
    """Name of each value -> whether the line (or its context file) gave it; the others are defaults."""


def asked(given: Given, *, code: bytes | None = None) -> Asked:
    """Resolve a line that makes a call; `code` is the contract where the line does not name its file.

    Raises `UsageError`, `BadInputError` and `UnsupportedError`.
    """
    others = additions.contract_paths(given["with"], "--with")
    files.at_most_one_stdin(
        {
            "CONTRACT.wasm": given["contract_file"],
            **{f"--with {name}": path for name, path in others},
            "--args-file": given["args_file"],
            "--context": given["context"],
            "--state": given["state"],
            "--key": given["key"],
        }
    )
    context = NO_CONTEXT
    if given["context"] is not None:
        context = read_context(files.read(given["context"], "the context", max_bytes=files.MAX_ARGS_BYTES))
    surroundings = _surroundings(given, context)._replace(contracts=additions.contracts(others) or None)
    version = surroundings.protocol_version
    limit = config_at(defaults.PROTOCOL_VERSION if version is None else version).max_total_prepaid_gas
    if code is None:
        code = files.read(given["contract_file"], "the contract", max_bytes=files.MAX_CONTRACT_BYTES)
    call, present = _call(given, context, gas_limit=limit, code=code)
    said = zip(surroundings._fields, surroundings, strict=True)
    present.update((name, value is not None and value is not False) for name, value in said)
    _refuse_contradictions(given, call)
    _refuse_second_say(call, surroundings)
    return Asked(call, surroundings, present)


def max_blocks(given: Given) -> int:
    """The most blocks that a line allows. Raises `UsageError`."""
    text = given["max_blocks"]
    if given["single"] and text is not None:
        raise UsageError("--single is --max-blocks 1", where="--max-blocks")
    if text is None:
        return 1 if given["single"] else defaults.MAX_BLOCKS
    count = units.number(text, "--max-blocks", bound=U32_MAX)
    if not count:
        raise UsageError("--max-blocks is at least 1", where="--max-blocks")
    return count


def _call(given: Given, context: Context, *, gas_limit: int, code: bytes) -> tuple[Call, dict[str, bool]]:
    contract_id = _account(given, "contract", context.current_account_id)
    signer_id = _account(given, "signer", context.signer_account_id)
    predecessor_id = _account(given, "predecessor", context.predecessor_account_id)
    args = arguments.arguments(given)
    args = context.input if args is None else args
    gas = context.prepaid_gas if given["gas"] is None else units.gas(given["gas"], "--gas", limit=gas_limit)
    deposit = _deposit(given, context)
    signing_key = _signing_key(given)
    public_key = _public_key(given, context) if signing_key is None else signing_key.public_key()
    present = {
        "contract_id": contract_id is not None,
        "args": args is not None,
        "gas": gas is not None,
        "deposit": deposit is not None,
        "signer_id": signer_id is not None,
        "signer_public_key": public_key is not None,
        "predecessor_id": predecessor_id is not None,
    }
    results = promise_results(given["promise_results"]) or context.promise_results
    present["promise_results"] = bool(results)
    receipt_id = given["receipt_id"]
    signer = signer_id or defaults.SIGNER
    call = Call(
        code=code,
        contract_id=contract_id or defaults.CONTRACT,
        method_name=given["method"],
        args=defaults.ARGS if args is None else args,
        gas=defaults.GAS if gas is None else gas,
        deposit=defaults.DEPOSIT if deposit is None else deposit,
        signer_id=signer,
        signer_public_key=keys.public_key_from_text(defaults.SIGNER_PUBLIC_KEY) if public_key is None else public_key,
        predecessor_id=predecessor_id or (contract_id or defaults.CONTRACT if results else signer),
        refund_to=_account(given, "refund_to", context.refund_to_account_id),
        receipt_id=None if receipt_id is None else units.hash32(receipt_id, "--receipt-id"),
        promise_results=results or (),
        signing_key=signing_key,
        view=given["view"] or context.is_view,
        max_blocks=max_blocks(given),
    )
    return call, present


def _account(given: Given, name: str, from_context: str | None) -> str | None:
    text = given[name]
    return from_context if text is None else units.account(text, "--" + name.replace("_", "-"))


def _deposit(given: Given, context: Context) -> int | None:
    if given["deposit"] is not None and given["deposit_yocto"] is not None:
        raise UsageError("--deposit and --deposit-yocto both give the deposit", where="--deposit-yocto")
    if given["deposit"] is not None:
        return units.near(given["deposit"], "--deposit")
    if given["deposit_yocto"] is not None:
        return units.number(given["deposit_yocto"], "--deposit-yocto", bound=U128_MAX)
    return context.attached_deposit


def _public_key(given: Given, context: Context) -> bytes | None:
    text = given["signer_pk"]
    if text is None:
        return context.signer_account_pk
    try:
        return keys.public_key_from_text(text)
    except BadInputError as error:
        raise UsageError(f"--signer-pk: {error.message}", where="--signer-pk") from error


def _signing_key(given: Given) -> SecretKey | None:
    """The key of a line that starts from a transaction: from its file, else the published one of the defaults."""
    if not given["as_transaction"]:
        if given["key"] is not None:
            raise UsageError("--key signs a transaction: it goes with --as-transaction", where="--key")
        return None
    return published_key(defaults.SIGNER_KEY_SEED) if given["key"] is None else read_secret_key(given["key"])


def _surroundings(given: Given, context: Context) -> Surroundings:
    version = _number(given, "protocol_version", None, bound=U32_MAX)
    if version is not None:
        require_supported(version)
    stakes = tuple(sorted(units.stake(text, "--validators") for text in given["validators"]))
    names = [name for name, _ in stakes]
    if len(names) != len(set(names)):
        raise UsageError("--validators gives an account twice", where="--validators")
    timestamp = given["block_timestamp"]
    seed = given["seed"]
    return Surroundings(
        protocol_version=version,
        chain_id=given["chain_id"],
        validators=stakes or None,
        minimum_stake=_amount(given, "minimum_stake", None),
        block_height=_number(given, "block_height", context.block_height),
        block_timestamp=context.block_timestamp
        if timestamp is None
        else units.timestamp(timestamp, "--block-timestamp"),
        epoch_height=_number(given, "epoch_height", context.epoch_height),
        gas_price=_number(given, "gas_price", None, bound=U128_MAX),
        random_seed=context.random_seed if seed is None else units.seed(seed, "--seed"),
        balance=_amount(given, "balance", context.account_balance),
        locked_balance=_amount(given, "locked_balance", context.account_locked_balance),
        storage_usage=_number(given, "storage_usage", context.storage_usage),
        accounts=additions.accounts(given["account"], "--account") or None,
        contracts=None,
        state_path=given["state"],
        in_place=given["in_place"],
    )


def _number(given: Given, name: str, from_context: int | None, **bound: int) -> int | None:
    text = given[name]
    return from_context if text is None else units.number(text, "--" + name.replace("_", "-"), **bound)


def _amount(given: Given, name: str, from_context: int | None) -> int | None:
    text = given[name]
    return from_context if text is None else units.near(text, "--" + name.replace("_", "-"))


def _refuse_contradictions(given: Mapping[str, Any], call: Call) -> None:
    """Refuse flags that would have no effect: whoever types them expects one."""
    if call.promise_results and (call.view or call.signing_key is not None):
        other = "--view" if call.view else "--as-transaction"
        raise UsageError(f"--promise-result has no meaning with {other}", where="--promise-result")
    for condition, names, flag in (
        (call.view, _NOT_IN_A_VIEW, "--view"),
        (call.signing_key is not None, _NOT_IN_A_TRANSACTION, "--as-transaction"),
    ):
        for name in names:
            if condition and given.get(name) not in (None, False):
                other = "--" + name.replace("_", "-")
                raise UsageError(f"{other} has no meaning with {flag}", where=other)


def _refuse_second_say(call: Call, around: Surroundings) -> None:
    """Refuse flags that say the same thing of the contract's account twice."""
    name = call.contract_id
    if name in dict(around.contracts or ()):
        raise UsageError(f"--with {name} names the account that runs CONTRACT.wasm", where="--with")
    if around.balance is not None and name in dict(around.accounts or ()):
        raise UsageError(f"--balance and --account both give the balance of {name}", where="--account")
