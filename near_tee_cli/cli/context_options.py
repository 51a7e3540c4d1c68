"""The options of a call: arguments, accounts, block context, state. Shared by `run` and `prove`.

Names follow near-cli (both generations) and the SDK's `VMContextBuilder`; the first flag is ours.
"""

from near_tee_cli.cli.parameters import COMPILER, FLAG, MANY, Given, Parameter

ARGUMENTS = (
    Parameter("args", ("--args", "--json-args"), "Arguments as JSON; the bytes are passed as typed. Default {}.",
              "JSON", panel="Arguments"),
    Parameter("args_file", ("--args-file", "--file-args", "--input"), "Arguments as the bytes of a file; - is stdin.",
              "PATH", panel="Arguments"),
    Parameter("args_base64", ("--args-base64", "--base64-args"), "Arguments in base64.", "TEXT", panel="Arguments"),
    Parameter("args_text", ("--args-text", "--text-args"), "Arguments as the UTF-8 bytes of a text.", "TEXT",
              panel="Arguments"),
    Parameter("args_hex", ("--args-hex", "--hex-args"), "Arguments in hexadecimal digits.", "HEX", panel="Arguments"),
)  # fmt: skip
"""The alternatives exclude one another."""

SINGLE = Parameter(
    "single", ("--single",), "Stop after the first block, whatever is in flight.", kind=FLAG, panel="Call"
)
MAX_BLOCKS = Parameter(
    "max_blocks", ("--max-blocks",), "Blocks after which a call that does not settle is left. Default 100.", "N",
    panel="Call",
)  # fmt: skip

CALL = (
    Parameter("gas", ("--gas", "--prepaid-gas"), "Gas attached, as in '100 Tgas' (the default), or max.", "GAS",
              panel="Call"),
    Parameter("deposit", ("--deposit", "--attached-deposit"), "NEAR attached, as in '1 NEAR' or '1 yoctoNEAR'.",
              "AMOUNT", panel="Call"),
    Parameter("deposit_yocto", ("--deposit-yocto", "--depositYocto"), "yoctoNEAR attached, as a bare number.", "N",
              panel="Call"),
    Parameter("contract", ("--contract", "--contract-id", "--current-account-id"),
              "Account that the code runs as. Default contract.near.", "ACCOUNT", panel="Call"),
    Parameter("signer", ("--signer", "--accountId", "--account-id", "--sign-as", "--signer-id", "--signer-account-id"),
              "Account that signs. Default user.near.", "ACCOUNT", panel="Call"),
    Parameter("signer_pk", ("--signer-pk", "--signer-public-key", "--signer-account-pk"), "Key that signs.", "KEY",
              panel="Call"),
    Parameter("predecessor", ("--predecessor", "--predecessor-id", "--predecessor-account-id"),
              "Account that calls. Default: the signer.", "ACCOUNT", panel="Call"),
    Parameter("refund_to", ("--refund-to", "--refund-to-id", "--refund-to-account-id"),
              "Account that balance refunds go to. Default: the predecessor.", "ACCOUNT", panel="Call"),
    Parameter("receipt_id", ("--receipt-id",), "Id of the receipt, base58. Default: derived from all that defines it.",
              "HASH", panel="Call"),
    Parameter("promise_results", ("--promise-result", "--promise-results"),
              "What a promise gave that METHOD, a callback, waited for: ok:TEXT, ok:@FILE or failed; repeat in order.",
              "RESULT", kind=MANY, panel="Call"),
    Parameter("as_transaction", ("--as-transaction",),
              "Start from a signed transaction: nonce, access key and balance are checked and charged.", kind=FLAG,
              panel="Call"),
    Parameter("key", ("--key", "--signer-key"), "File with the secret key that signs the transaction.", "PATH",
              panel="Call"),
    Parameter("view", ("--view", "--is-view"), "Call read-only: host functions that change anything are refused.",
              kind=FLAG, panel="Call"),
    SINGLE,
    MAX_BLOCKS,
)  # fmt: skip
"""What is called by whom."""

CONTEXT = (
    Parameter("context", ("--context", "--context-file"), "Context in a JSON file; flags win over it.", "PATH",
              panel="Context"),
    Parameter("block_height", ("--block-height", "--block-index", "--block-id"), "Height of the block.", "N",
              panel="Context"),
    Parameter("block_timestamp", ("--block-timestamp",), "Time of the block: nanoseconds or RFC 3339.", "TIME",
              panel="Context"),
    Parameter("epoch_height", ("--epoch-height",), "Height of the epoch.", "N", panel="Context"),
    Parameter("seed", ("--seed", "--random-seed", "--fuzz-seed"),
              "Random seed of the block: hexadecimal or base58 of 32 bytes, or an integer.", "SEED", panel="Context"),
    Parameter("gas_price", ("--gas-price",), "yoctoNEAR per gas.", "N", panel="Context"),
    Parameter("protocol_version", ("--protocol-version",), "Protocol version: 83 to 86 (the default).", "N",
              panel="Context"),
    Parameter("chain_id", ("--chain-id",), "What the chain is called. Default localnet.", "NAME", panel="Context"),
    Parameter("validators", ("--validators", "--validator"), "A validator's stake; repeat for each.", "ACCOUNT=STAKE",
              kind=MANY, panel="Context"),
    Parameter("minimum_stake", ("--minimum-stake",), "The least stake that a validator may offer.", "AMOUNT",
              panel="Context"),
    Parameter("balance", ("--balance", "--account-balance"), "Balance of the contract's account.", "AMOUNT",
              panel="Context"),
    Parameter("locked_balance", ("--locked-balance", "--account-locked-balance"), "Its balance at stake.", "AMOUNT",
              panel="Context"),
    Parameter("storage_usage", ("--storage-usage",), "Bytes that the account is charged for.", "N", panel="Context"),
)  # fmt: skip
"""The block and the contract's account."""

WITH = Parameter(
    "with",
    ("--with",),
    "A contract of another account; repeat for each.",
    "ACCOUNT=FILE.wasm",
    kind=MANY,
    panel="State",
)
ACCOUNT = Parameter(
    "account", ("--account",), "An account and its balance, as in 'a.near=10 NEAR'; repeat for each.",
    "ACCOUNT=BALANCE", kind=MANY, panel="State",
)  # fmt: skip

STATE_OUT = Parameter(
    "state_out", ("--state-out", "--dump-state"), "Where the snapshot of the state afterwards goes.", "PATH",
    panel="State",
)  # fmt: skip
IN_PLACE = Parameter("in_place", ("--in-place",), "Change the state that is started from.", kind=FLAG, panel="State")
FORCE = Parameter("force", ("--force",), "Replace files that exist.", kind=FLAG, panel="State")

STATE = (
    Parameter("state", ("--state", "--state-file", "--load-state"), "State snapshot to start from; - is stdin.", "PATH",
              panel="State"),
    WITH,
    ACCOUNT,
    STATE_OUT,
    IN_PLACE,
    FORCE,
)  # fmt: skip
"""What it runs on."""

EVERYTHING = (*ARGUMENTS, *CALL, *CONTEXT, *STATE, COMPILER)
"""All of it, without the positional arguments and the output."""

_OF_THE_CALL = (
    "gas", "deposit", "deposit_yocto", "signer", "signer_pk", "predecessor", "refund_to", "receipt_id",
    "promise_results", "as_transaction", "key",
)  # fmt: skip
RESUME_CALL = (*ARGUMENTS, *(one for one in CALL if one.name in _OF_THE_CALL))
"""What describes a call to a contract that is in the state."""
_OF_THE_NEXT_BLOCK = ("block_height", "block_timestamp", "epoch_height", "seed", "gas_price", "minimum_stake")
NEXT_BLOCK = tuple(one for one in CONTEXT if one.name in _OF_THE_NEXT_BLOCK)
"""What can be said of the block that comes next."""


def complete(given: Given, **values: object) -> Given:
    """The values of a line of another command as those of a line that makes a call, `values` filled in."""
    nothing = {one.name: {FLAG: False, MANY: ()}.get(one.kind) for one in (*EVERYTHING, POSITIONAL_ARGS)}
    return {**nothing, "contract_file": None, **given, **values}


STEP_OUT = Parameter(
    "out", ("--out", "-o"), "Where the step goes: a directory, or one file NAME.step.", "STEP", panel="Output"
)
"""For a command that keeps a step when asked to."""
KEPT_STEP_OUT = STEP_OUT._replace(
    help="Where the step goes: a directory, or one file NAME.step. Default: a directory below steps/, named by content."
)
"""For a command that always keeps one."""

CONTRACT_ARGUMENT = Parameter("contract_file", (), "The contract.", "CONTRACT.wasm", required=True)
METHOD_ARGUMENT = Parameter("method", (), "The method to call.", "METHOD", required=True)
POSITIONAL_ARGS = Parameter("positional_args", (), "Arguments as JSON, like --args.", "[JSON]")
