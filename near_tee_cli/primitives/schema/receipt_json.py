"""Receipts in the plain JSON of genesis files, both ways and without loss.

Mirrors nearcore: core/primitives/src/receipt.rs
"""

from typing import Any

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import keys
from near_tee_cli.primitives.canonical_json import array, base64, base64_text, integer, members, shown
from near_tee_cli.primitives.schema.account_json import identifier_json, read_identifier, tagged
from near_tee_cli.primitives.schema.action_json import action_json, read_action
from near_tee_cli.primitives.schema.json_scalars import (
    hash_text,
    read_account_id,
    read_balance,
    read_hash,
    read_public_key,
)
from near_tee_cli.primitives.schema.receipt import (
    ACTION_V2,
    DATA,
    GLOBAL_CONTRACT_DISTRIBUTION,
    PROMISE_RESUME,
    ActionReceipt,
    Body,
    DataReceipt,
    DataReceiver,
    GlobalContractDistribution,
    Receipt,
)

TAGS = (
    "Action",
    "Data",
    "PromiseYield",
    "PromiseResume",
    "GlobalContractDistribution",
    "ActionV2",
    "PromiseYieldV2",
)
"""Names of the bodies of receipts; the position is the tag."""

_ACTION_FIELDS = ("signer_id", "signer_public_key", "gas_price", "output_data_receivers", "input_data_ids", "actions")
_DISTRIBUTION_FIELDS = ("id", "target_shard", "already_delivered_shards", "code")


def read_receipt(value: object) -> Receipt:
    """A receipt of any kind."""
    names = ("predecessor_id", "receiver_id", "receipt_id", "receipt")
    fields = members(value, "receipt", required=names, optional=("priority",))
    name, content = tagged(fields["receipt"], "receipt")
    if name not in TAGS:
        raise BadInputError(f"unknown kind of receipt {shown(name)}", code="bad-field", where="receipt")
    return Receipt(
        read_account_id(fields["predecessor_id"], "predecessor_id"),
        read_account_id(fields["receiver_id"], "receiver_id"),
        read_hash(fields["receipt_id"], "receipt_id"),
        _read_body(TAGS.index(name), content),
    )


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """A receipt in the plain form."""
    return {
        "predecessor_id": receipt.predecessor_id,
        "receiver_id": receipt.receiver_id,
        "receipt_id": hash_text(receipt.receipt_id),
        "receipt": {TAGS[receipt.body.tag]: _body_json(receipt.body)},
    }


def data_receivers_json(receivers: tuple[DataReceiver, ...]) -> list[dict[str, str]]:
    """Who waits for the result of a receipt."""
    return [{"data_id": hash_text(data_id), "receiver_id": receiver_id} for data_id, receiver_id in receivers]


def _read_body(tag: int, value: object) -> Body:
    if tag in (DATA, PROMISE_RESUME):
        fields = members(value, TAGS[tag], required=("data_id",), optional=("data",))
        data = fields.get("data")
        content = None if data is None else base64(data, "data")
        return DataReceipt(tag, read_hash(fields["data_id"], "data_id"), content)
    if tag == GLOBAL_CONTRACT_DISTRIBUTION:
        return _read_distribution(value)
    optional = ("refund_to",) if tag >= ACTION_V2 else ()
    fields = members(value, TAGS[tag], required=_ACTION_FIELDS, optional=optional)
    refund_to = fields.get("refund_to")
    return ActionReceipt(
        tag,
        read_account_id(fields["signer_id"], "signer_id"),
        None if refund_to is None else read_account_id(refund_to, "refund_to"),
        read_public_key(fields["signer_public_key"], "signer_public_key"),
        read_balance(fields["gas_price"], "gas_price"),
        tuple(map(_read_data_receiver, array(fields["output_data_receivers"], "output_data_receivers"))),
        tuple(read_hash(item, "input_data_ids") for item in array(fields["input_data_ids"], "input_data_ids")),
        tuple(map(read_action, array(fields["actions"], "actions"))),
    )


def _read_data_receiver(value: object) -> DataReceiver:
    fields = members(value, "output_data_receivers", required=("data_id", "receiver_id"))
    return DataReceiver(read_hash(fields["data_id"], "data_id"), read_account_id(fields["receiver_id"], "receiver_id"))


def _read_distribution(value: object) -> GlobalContractDistribution:
    version, content = tagged(value, TAGS[GLOBAL_CONTRACT_DISTRIBUTION])
    if version not in ("V1", "V2"):
        raise BadInputError(f"unknown version {shown(version)} of a distribution", code="bad-field", where="receipt")
    names = (*_DISTRIBUTION_FIELDS, "nonce") if version == "V2" else _DISTRIBUTION_FIELDS
    fields = members(content, version, required=names)
    shards = array(fields["already_delivered_shards"], "already_delivered_shards")
    return GlobalContractDistribution(
        GLOBAL_CONTRACT_DISTRIBUTION,
        read_identifier(fields["id"], "id"),
        integer(fields["target_shard"], "target_shard"),
        tuple(integer(shard, "already_delivered_shards") for shard in shards),
        base64(fields["code"], "code"),
        integer(fields["nonce"], "nonce") if version == "V2" else None,
    )


def _body_json(body: Body) -> dict[str, Any]:
    if isinstance(body, DataReceipt):
        data = None if body.data is None else base64_text(body.data)
        return {"data_id": hash_text(body.data_id), "data": data}
    if isinstance(body, GlobalContractDistribution):
        fields = {
            "id": identifier_json(body.id),
            "target_shard": body.target_shard,
            "already_delivered_shards": list(body.already_delivered_shards),
            "code": base64_text(body.code),
        }
        return {"V1": fields} if body.nonce is None else {"V2": {**fields, "nonce": body.nonce}}
    result: dict[str, Any] = {
        "signer_id": body.signer_id,
        "signer_public_key": keys.public_key_text(body.signer_public_key),
        "gas_price": str(body.gas_price),
        "output_data_receivers": data_receivers_json(body.output_data_receivers),
        "input_data_ids": [hash_text(data_id) for data_id in body.input_data_ids],
        "actions": [action_json(action) for action in body.actions],
    }
    if body.tag >= ACTION_V2:
        result["refund_to"] = body.refund_to
    return result
