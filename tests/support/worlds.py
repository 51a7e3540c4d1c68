"""Small worlds for tests of the runtime: accounts with keys, blocks with defaults, a machine of Python functions."""

from collections.abc import Callable

from near_tee_cli.params.store import config_at
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.keys import ED25519, public_key_of, secret_key_from_seed, sign
from near_tee_cli.primitives.schema.access_key import AccessKey, full_access_key
from near_tee_cli.primitives.schema.account import LocalContract, new_account
from near_tee_cli.primitives.schema.action import Action
from near_tee_cli.primitives.schema.outcome import Failure, Status
from near_tee_cli.primitives.schema.receipt import ACTION, ActionReceipt, Receipt
from near_tee_cli.primitives.schema.records import AccessKeyRecord, AccountRecord, ContractRecord, StateRecord
from near_tee_cli.primitives.schema.transaction import (
    SignedTransaction,
    Transaction,
    sign_with,
    transaction_hash,
    transaction_v0,
)
from near_tee_cli.runtime.block import BlockContext, ChainContext
from near_tee_cli.runtime.world import Transition, World
from near_tee_cli.state.overlay import Overlay
from near_tee_cli.state.trie import Trie
from near_tee_cli.vm.outcome import NO_PROFILE, VMOutcome

NEAR = 10**24
CONFIG = config_at(86)
CHAIN = ChainContext("localnet", ())


def secret_key(name: str) -> bytes:
    """The ed25519 key of a test account."""
    return secret_key_from_seed(name, scheme=ED25519)


def public_key(name: str) -> bytes:
    """Its public half."""
    return public_key_of(secret_key(name))


def account(
    name: str, balance: int = 100 * NEAR, *, key: AccessKey | None = None, code: bytes | None = None, usage: int = 182
) -> list[StateRecord]:
    """Records of an account with one key, and code if there is some."""
    contract = None if code is None else LocalContract(sha256(code))
    records: list[StateRecord] = [AccountRecord(name, new_account(balance, 0, contract=contract, storage_usage=usage))]
    if code is not None:
        records.append(ContractRecord(name, code))
    records.append(AccessKeyRecord(name, public_key(name), full_access_key(0) if key is None else key))
    return records


def block(height: int = 1, **fields) -> BlockContext:
    """A block with the defaults of recorded cases."""
    values = {
        "height": height,
        "timestamp": 100 + 10**9 * (height - 1),
        "prev_block_hash": bytes(32),
        "random_seed": bytes(32),
        "epoch_id": bytes(32),
        "epoch_height": 0,
        "gas_price": 100_000_000,
        "gas_limit": 10**15,
        "is_new_chunk": True,
        "proof_size_limit": CONFIG.main_storage_proof_size_soft_limit,
    }
    return BlockContext(**{**values, **fields})


def world(*records: list[StateRecord], version: int = 86) -> World:
    """A world with the records of all given accounts."""
    return World.from_records(config_at(version), CHAIN, records=[record for group in records for record in group])


def sign_transaction(transaction: Transaction, signer: str | None = None) -> SignedTransaction:
    """The transaction signed with the test key of its signer (or of somebody else)."""
    key = secret_key(transaction.signer_id if signer is None else signer)
    return sign_with(transaction, sign(key, transaction_hash(transaction)))


def transact(signer: str, receiver: str, *actions: Action, nonce: int = 1) -> SignedTransaction:
    """A signed transaction."""
    return sign_transaction(
        transaction_v0(
            signer, public_key(signer), nonce=nonce, receiver_id=receiver, block_hash=bytes(32), actions=actions
        )
    )


class PythonMachine:
    """Runs methods that are Python functions `(context, external) -> fields of the outcome`, for 10^12 gas each."""

    def __init__(self, **methods: Callable[..., dict | None]) -> None:
        self.methods = methods

    def run(self, code, code_hash, *, method, context, external, config) -> VMOutcome:
        """See `Machine.run`."""
        del code, code_hash, config
        outcome = VMOutcome(
            balance=context.account_balance + context.attached_deposit,
            storage_usage=context.storage_usage,
            return_data=None,
            burnt_gas=10**12,
            used_gas=10**12,
            compute_usage=10**12,
            logs=(),
            profile=NO_PROFILE,
            aborted=None,
            subsidized_amount=0,
        )
        return outcome._replace(**(self.methods[method](context, external) or {}))


NO_MACHINE = PythonMachine()


def receipt_of(
    *actions: Action, sender: str = "a.near", receiver: str | None = None, number: int = 1, **fields
) -> Receipt:
    """A receipt of actions, to the sender itself unless another receiver is named."""
    body = ActionReceipt(ACTION, sender, None, public_key(sender), 10**9, (), (), actions)
    body = body._replace(**fields)
    return Receipt(sender, sender if receiver is None else receiver, bytes([number]) * 32, body)


def overlay_of(state: World) -> Overlay:
    """The state of a world, to be read row by row."""
    return Overlay(Trie(state.store, state.root))


def statuses(transition: Transition) -> list[Status]:
    """How each outcome of a transition ended."""
    return [entry.outcome.status for entry in transition.result.outcomes]


def error_of(status: Status) -> object:
    """The innermost kind of a failure."""
    if not isinstance(status, Failure):
        raise TypeError(f"not a failure: {status}")
    inner = next(iter(status.error.values()))
    return inner["kind"] if isinstance(inner, dict) and "kind" in inner else inner


def failures(transition: Transition) -> list[object]:
    """The kinds of all failures of a transition."""
    return [error_of(status) for status in statuses(transition) if isinstance(status, Failure)]
