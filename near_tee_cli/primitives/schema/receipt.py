"""Receipts: what accounts send one another.

Seven bodies share three shapes: actions (to run at once, or stored by a yield), data (an ordinary result, or the
one that resumes a yield) and the distribution of a global contract. `tag` says which body it is.

Mirrors nearcore: core/primitives/src/receipt.rs
"""

from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.action import Action, DeleteAccount, Transfer, encode_actions, read_actions
from near_tee_cli.primitives.schema.global_contract import (
    GlobalContractIdentifier,
    encode_identifier,
    read_identifier,
)
from near_tee_cli.primitives.schema.wire import (
    NO_HASH,
    blob,
    optional,
    read_account_id,
    read_blob,
    read_hash,
    read_option,
    read_public_key,
    read_u64,
    read_u128,
    read_vector,
    string,
    u32,
    u64,
    u128,
    vector,
    whole,
)

SYSTEM = "system"
"""The sender of refunds; no account of this name exists."""

ACTION = 0
"""Tag: actions, without a refund receiver (transactions, delegates and refunds make these)."""
DATA = 1
"""Tag: a result for somebody who waits for it."""
PROMISE_YIELD = 2
"""Tag: actions that wait for a resume, without a refund receiver."""
PROMISE_RESUME = 3
"""Tag: the data that ends a yield."""
GLOBAL_CONTRACT_DISTRIBUTION = 4
"""Tag: shared code on its way to every shard."""
ACTION_V2 = 5
"""Tag: actions, with an optional refund receiver (function calls make these)."""
PROMISE_YIELD_V2 = 6
"""Tag: actions that wait for a resume, with an optional refund receiver."""

YIELD_TAGS = (PROMISE_YIELD, PROMISE_YIELD_V2)
"""The two bodies that a yield stores."""

NO_KEY = b"\0" + NO_HASH
"""The ed25519 key of zeros that signs for `system`."""


class DataReceiver(NamedTuple):
    """Who waits for the result, under which id."""

    data_id: bytes
    receiver_id: str


class ActionReceipt(NamedTuple):
    """Actions to run; `gas_price` in yoctoNEAR is what the gas was bought at. `refund_to` needs a tag of version 2."""

    tag: int
    signer_id: str
    refund_to: str | None
    signer_public_key: bytes
    gas_price: int
    output_data_receivers: tuple[DataReceiver, ...]
    input_data_ids: tuple[bytes, ...]
    actions: tuple[Action, ...]


class DataReceipt(NamedTuple):
    """A result, `None` if there is none because what should have given it failed."""

    tag: int
    data_id: bytes
    data: bytes | None


class GlobalContractDistribution(NamedTuple):
    """Code for `target_shard`; without a `nonce` the receipt is of version 1."""

    tag: int
    id: GlobalContractIdentifier
    target_shard: int
    already_delivered_shards: tuple[int, ...]
    code: bytes
    nonce: int | None


Body = ActionReceipt | DataReceipt | GlobalContractDistribution
"""What a receipt carries."""


class Receipt(NamedTuple):
    """One receipt."""

    predecessor_id: str
    receiver_id: str
    receipt_id: bytes
    body: Body


class StateStoredReceipt(NamedTuple):
    """A queued receipt with what the queue counts for it; `version` is `None` for a plain one of old, else 0 or 1."""

    version: int | None
    receipt: Receipt
    congestion_gas: int
    congestion_size: int


def is_instant(receipt: Receipt) -> bool:
    """Whether `receipt` is processed in the shard that makes it, straight after its parent."""
    body = receipt.body
    if not isinstance(body, ActionReceipt):
        return False
    if body.tag in YIELD_TAGS:
        return True
    return len(body.actions) == 1 and isinstance(body.actions[0], DeleteAccount) and not body.input_data_ids


def balance_refund(receiver_id: str, amount: int) -> Receipt:
    """A refund of a balance (yoctoNEAR) to `receiver_id`; the id is filled in later."""
    body = ActionReceipt(ACTION, SYSTEM, None, NO_KEY, 0, (), (), (Transfer(amount),))
    return Receipt(SYSTEM, receiver_id, NO_HASH, body)


def gas_refund(signer_id: str, amount: int, *, signer_public_key: bytes) -> Receipt:
    """A refund of gas (its price in yoctoNEAR) to the signer, which restores the allowance of the key."""
    body = ActionReceipt(ACTION, signer_id, None, signer_public_key, 0, (), (), (Transfer(amount),))
    return Receipt(SYSTEM, signer_id, NO_HASH, body)


def derived_id(base: bytes, height: int, salt: int) -> bytes:
    """The id that follows from a parent's id, the block height and a number: of receipts, actions, data."""
    return sha256(base + u64(height) + u64(salt))


def encode_receipt(receipt: Receipt) -> bytes:
    """Borsh of a receipt."""
    predecessor_id, receiver_id, receipt_id, body = receipt
    sender = predecessor_id.encode()
    receiver = receiver_id.encode()
    head = b"".join((u32(len(sender)), sender, u32(len(receiver)), receiver, receipt_id))
    if isinstance(body, ActionReceipt):
        return head + _encode_action_body(body)
    if isinstance(body, DataReceipt):
        data = None if body.data is None else blob(body.data)
        return head + bytes([body.tag]) + body.data_id + optional(data)
    version = b"\0" if body.nonce is None else b"\1"
    shards = vector(map(u64, body.already_delivered_shards))
    nonce = b"" if body.nonce is None else u64(body.nonce)
    target = u64(body.target_shard)
    return head + bytes([body.tag]) + version + encode_identifier(body.id) + target + shards + blob(body.code) + nonce


def _encode_action_body(body: ActionReceipt) -> bytes:
    tag, signer_id, refund_to, signer_public_key, gas_price, output, inputs, actions = body
    signer = signer_id.encode()
    parts = [bytes((tag,)), u32(len(signer)), signer]
    if tag >= ACTION_V2:
        parts.append(optional(None if refund_to is None else string(refund_to)))
    parts += (signer_public_key, u128(gas_price), u32(len(output)))
    for data_id, receiver_id in output:
        parts.append(data_id + string(receiver_id))
    parts.append(u32(len(inputs)))
    parts += inputs
    parts.append(encode_actions(actions))
    return b"".join(parts)


def decode_receipt(data: bytes) -> Receipt:
    """The receipt that `data` encodes. Raises `BadInputError` when it is none."""
    return whole(data, read_receipt, what="receipt")


def read_receipt(data: bytes, at: int) -> tuple[Receipt, int]:
    """A receipt at `at`."""
    predecessor_id, at = read_account_id(data, at)
    receiver_id, at = read_account_id(data, at)
    receipt_id, at = read_hash(data, at)
    tag = data[at]
    body: Body
    if tag in (DATA, PROMISE_RESUME):
        data_id, at = read_hash(data, at + 1)
        content, at = read_option(data, at, read_blob)
        body = DataReceipt(tag, data_id, content)
    elif tag == GLOBAL_CONTRACT_DISTRIBUTION:
        body, at = _read_distribution(data, at + 1)
    elif tag <= PROMISE_YIELD_V2:
        body, at = _read_action_body(data, at + 1, tag=tag)
    else:
        raise BadInputError(f"unknown kind {tag} of receipt")
    return Receipt(predecessor_id, receiver_id, receipt_id, body), at


def _read_action_body(data: bytes, at: int, *, tag: int) -> tuple[ActionReceipt, int]:
    signer_id, at = read_account_id(data, at)
    refund_to = None
    if tag >= ACTION_V2:
        refund_to, at = read_option(data, at, read_account_id)
    signer_public_key, at = read_public_key(data, at)
    gas_price, at = read_u128(data, at)
    output, at = read_vector(data, at, _read_data_receiver)
    inputs, at = read_vector(data, at, read_hash)
    actions, at = read_actions(data, at)
    return ActionReceipt(tag, signer_id, refund_to, signer_public_key, gas_price, output, inputs, actions), at


def _read_data_receiver(data: bytes, at: int) -> tuple[DataReceiver, int]:
    data_id, at = read_hash(data, at)
    receiver_id, at = read_account_id(data, at)
    return DataReceiver(data_id, receiver_id), at


def _read_distribution(data: bytes, at: int) -> tuple[GlobalContractDistribution, int]:
    version = data[at]
    if version > 1:
        raise BadInputError(f"unknown version {version} of a global contract distribution")
    identifier, at = read_identifier(data, at + 1)
    target, at = read_u64(data, at)
    delivered, at = read_vector(data, at, read_u64)
    code, at = read_blob(data, at)
    nonce = None
    if version == 1:
        nonce, at = read_u64(data, at)
    return GlobalContractDistribution(GLOBAL_CONTRACT_DISTRIBUTION, identifier, target, delivered, code, nonce), at


def encode_state_stored_receipt(stored: StateStoredReceipt) -> bytes:
    """The value of a queue's row."""
    version, receipt, gas, size = stored
    if version is None:
        return encode_receipt(receipt)
    return b"\xff\xff" + bytes([version]) + encode_receipt(receipt) + u64(gas) + u64(size)


def decode_state_stored_receipt(data: bytes) -> StateStoredReceipt:
    """A queue's row: with its counts, or plain (then they are given as 0 for the caller to derive)."""
    return whole(data, _read_state_stored_receipt, what="queued receipt")


def _read_state_stored_receipt(data: bytes, at: int) -> tuple[StateStoredReceipt, int]:
    if data[at : at + 2] != b"\xff\xff":
        receipt, at = read_receipt(data, at)
        return StateStoredReceipt(None, receipt, 0, 0), at
    version = data[at + 2]
    if version > 1:
        raise BadInputError(f"unknown version {version}")
    receipt, at = read_receipt(data, at + 3)
    gas, at = read_u64(data, at)
    size, at = read_u64(data, at)
    return StateStoredReceipt(version, receipt, gas, size), at
