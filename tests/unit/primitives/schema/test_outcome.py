"""Outcomes: hashes of nearcore (core/primitives/src/transaction.rs) and of testnet (core/primitives/src/views.rs)."""

from near_tee_cli.primitives import base58
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.outcome import (
    NO_METADATA,
    ExecutionOutcome,
    OutcomeWithId,
    Status,
    SuccessReceiptId,
    SuccessValue,
    action_error,
    encode_partial_outcome,
    invalid_tx_error,
    outcome_hashes,
    outcome_leaf,
)
from near_tee_cli.primitives.schema.views import status_view


def outcome(status: Status, *, logs=(), receipt_ids=(), gas=0, tokens=0, executor="alice") -> ExecutionOutcome:
    return ExecutionOutcome(logs, receipt_ids, gas, gas, tokens, executor, status, NO_METADATA)


def test_hashes_of_nearcore() -> None:
    entry = OutcomeWithId(b"\x2a" * 32, outcome(SuccessValue(b"\x7b"), logs=("123", "321"), gas=123, tokens=1_234_000))
    hashes = outcome_hashes(entry)
    assert hashes == [entry.id, hashes[1], sha256(b"123"), sha256(b"321")]
    assert base58.encode(hashes[1]) == "5JQs5ekQqKudMmYejuccbtEu1bzhQPXa92Zm4HdV64dQ"


def test_two_leaves_of_testnet() -> None:
    receipt_id = base58.decode("e2XGEosf843XMiCJHvZufvHKyw419ZYibDBdVJQr9cB", 32)
    refund_id = base58.decode("8ZD92cLpoCEU46hPGFfk3VqZpU8s6DoQhZ4pCMqWwDT6", 32)
    transaction = OutcomeWithId(
        base58.decode("GMUCDLHFJVvmZYXmPf9QeUVAt9r9hXcQP1yL5emPFnvx", 32),
        outcome(
            SuccessReceiptId(receipt_id),
            receipt_ids=(receipt_id,),
            gas=308276385598,
            tokens=30827638559800000000,
            executor="btc-client.testnet",
        ),
    )
    receipt = OutcomeWithId(
        receipt_id,
        outcome(
            SuccessValue(b""),
            logs=(
                "Block hash: 0000000000000000ee617846a3e081ae2f30091451442e1b5fb027d8eba09b3a",
                "Saving to mainchain",
            ),
            receipt_ids=(refund_id,),
            gas=2906160054161,
            tokens=290616005416100000000,
            executor="btc-client.testnet",
        ),
    )
    assert base58.encode(outcome_leaf(transaction)) == "BoQHueiPH9e4C7fkxouV4tFpGZ4hK5fJhKQnPBWwPazS"
    assert base58.encode(outcome_leaf(receipt)) == "HDgWEk2okmDdAFAVf6ffxGBH6F6vdLM1X3H5Fmaafe4S"


def test_the_reason_of_a_failure_is_not_hashed() -> None:
    first = encode_partial_outcome(outcome(action_error(0, "DelegateActionExpired")))
    second = encode_partial_outcome(outcome(invalid_tx_error("Expired")))
    assert first == second
    assert first.endswith(b"\1")


def test_views_of_endings() -> None:
    assert status_view(SuccessValue(b"\x7b")) == {"SuccessValue": "ew=="}
    assert status_view(SuccessReceiptId(bytes(32))) == {"SuccessReceiptId": "1" * 32}
    assert status_view(action_error(None, "X")) == {"Failure": {"ActionError": {"index": None, "kind": "X"}}}
    assert status_view(invalid_tx_error("Expired")) == {"Failure": {"InvalidTxError": "Expired"}}
