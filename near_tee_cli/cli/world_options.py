"""The options of the commands that make or change a state: the chain, its last block, accounts, where it goes."""

from typing import Any

from near_tee_cli.cli import defaults, units
from near_tee_cli.cli.context_options import CONTEXT, FORCE
from near_tee_cli.cli.parameters import FLAG, MANY, Given, Parameter
from near_tee_cli.errors import UsageError
from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.params.features import require_supported
from near_tee_cli.primitives.integers import U32_MAX, U128_MAX
from near_tee_cli.primitives.schema.wire import NO_HASH
from near_tee_cli.runtime.block import BlockContext, ChainContext

OUT = Parameter(
    "out", ("--out", "-o"), "The snapshot to write; - prints it as JSON.", "SNAPSHOT", required=True, panel="Output"
)
WRITE = (OUT, FORCE._replace(panel="Output"))
"""Where the state goes."""

CHAIN = tuple(
    one._replace(panel="Chain")
    for one in CONTEXT
    if one.name in ("protocol_version", "chain_id", "validators", "minimum_stake")
)
_LAST = {
    "block_height": "Height of the last block.",
    "block_timestamp": "Time of the last block: nanoseconds or RFC 3339.",
    "epoch_height": "Height of its epoch.",
    "gas_price": "Its gas price, yoctoNEAR per gas.",
    "seed": "Its random seed, which the next one has too unless a call says otherwise.",
}
LAST_BLOCK = tuple(one._replace(help=_LAST[one.name], panel="Chain") for one in CONTEXT if one.name in _LAST)
"""The block that the state is after; a call runs in the next one."""

ACCOUNTS = (
    Parameter("account", ("--account",), "An account and its balance, as in 'a.near=10 NEAR'; repeat for each.",
              "ACCOUNT=BALANCE", kind=MANY, panel="Accounts"),
    Parameter("with", ("--with",), "The contract of an account; repeat for each.", "ACCOUNT=FILE.wasm", kind=MANY,
              panel="Accounts"),
)  # fmt: skip

EDITS = (
    *ACCOUNTS,
    Parameter("locked", ("--locked",), "What an account has at stake.", "ACCOUNT=BALANCE", kind=MANY,
              panel="Accounts"),
    Parameter("add_key", ("--add-key",),
              "An access key: full access, or with ,receiver=ACCOUNT for calls (,method=NAME and ,allowance=AMOUNT"
              " narrow it); ,nonce=N.", "ACCOUNT=KEY[,...]", kind=MANY, panel="Accounts"),
    Parameter("data", ("--data",),
              "A row of contract data. KEY and VALUE are text, hex:DIGITS or base64:TEXT, VALUE also @FILE.",
              "ACCOUNT:KEY=VALUE", kind=MANY, panel="Accounts"),
)  # fmt: skip
"""What can be put into a state by hand."""

REMOVALS = (
    Parameter("remove_account", ("--remove-account",), "Remove an account with its code, keys and data.", "ACCOUNT",
              kind=MANY, panel="Removal"),
    Parameter("remove_code", ("--remove-code",), "Leave an account without a contract.", "ACCOUNT", kind=MANY,
              panel="Removal"),
    Parameter("remove_key", ("--remove-key",), "Remove an access key.", "ACCOUNT=KEY", kind=MANY, panel="Removal"),
    Parameter("remove_data", ("--remove-data",), "Remove a row of contract data; KEY as for --data.", "ACCOUNT:KEY",
              kind=MANY, panel="Removal"),
)  # fmt: skip

ALLOW_INCOMPLETE = Parameter(
    "allow_incomplete", ("--allow-incomplete",), "Take accounts whose code or nonces are missing.", kind=FLAG,
    panel="Import",
)  # fmt: skip


def protocol_version_of(given: Given) -> int | None:
    """The protocol version that a line says. Raises `UsageError` and `UnsupportedError`."""
    if given["protocol_version"] is None:
        return None
    version = units.number(given["protocol_version"], "--protocol-version", bound=U32_MAX)
    require_supported(version)
    return version


def chain_of(given: Given, before: ChainContext) -> ChainContext:
    """`before` with what a line says of the chain. Raises `UsageError`."""
    stakes = tuple(sorted(units.stake(text, "--validators") for text in given["validators"]))
    if len(dict(stakes)) != len(stakes):
        raise UsageError("--validators gives an account twice", where="--validators")
    minimum = given["minimum_stake"]
    return ChainContext(
        before.chain_id if given["chain_id"] is None else given["chain_id"],
        stakes or before.validators,
        before.minimum_stake if minimum is None else units.near(minimum, "--minimum-stake"),
    )


def last_block_of(given: Given, before: BlockContext | None, config: RuntimeConfig) -> BlockContext | None:
    """`before` with what a line says of the last block; the defaults of a call fill in what nobody says.

    Raises `UsageError`.
    """
    values: dict[str, Any] = {}
    for name, field in (("block_height", "height"), ("epoch_height", "epoch_height")):
        if given[name] is not None:
            values[field] = units.number(given[name], "--" + name.replace("_", "-"))
    if given["gas_price"] is not None:
        values["gas_price"] = units.number(given["gas_price"], "--gas-price", bound=U128_MAX)
    if given["block_timestamp"] is not None:
        values["timestamp"] = units.timestamp(given["block_timestamp"], "--block-timestamp")
    if given["seed"] is not None:
        values["random_seed"] = units.seed(given["seed"], "--seed")
    if before is None and not values:
        return None
    return (before or default_block(config))._replace(**values)


def default_block(config: RuntimeConfig) -> BlockContext:
    """A block of which nothing is known: the defaults of a call."""
    return BlockContext(
        height=defaults.BLOCK_HEIGHT,
        timestamp=defaults.BLOCK_TIMESTAMP,
        prev_block_hash=NO_HASH,
        random_seed=defaults.SEED,
        epoch_id=NO_HASH,
        epoch_height=defaults.EPOCH_HEIGHT,
        gas_price=defaults.GAS_PRICE,
        gas_limit=defaults.GAS_LIMIT,
        is_new_chunk=True,
        proof_size_limit=config.main_storage_proof_size_soft_limit,
    )
