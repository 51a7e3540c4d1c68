"""The context file: every member, and what it refuses."""

import json

import pytest

from near_tee_cli.cli.context_file import NO_CONTEXT, read_context
from near_tee_cli.errors import BadInputError, UnsupportedError
from near_tee_cli.primitives import base58, keys

KEY = keys.public_key_of(keys.secret_key_from_seed("x", scheme=keys.ED25519))


def read(**members):
    return read_context(json.dumps(members).encode())


def test_everything():
    context = read(
        current_account_id="a.near",
        signer_account_id="s.near",
        predecessor_account_id="p.near",
        refund_to_account_id="r.near",
        signer_account_pk=keys.public_key_text(KEY),
        input="e30=",
        block_index=7,
        block_timestamp="8",
        epoch_height=9,
        account_balance="10",
        account_locked_balance=11,
        storage_usage=12,
        attached_deposit="340282366920938463463374607431768211455",
        prepaid_gas=14,
        random_seed="1" * 32,
        is_view=False,
        output_data_receivers=[],
    )
    assert context.current_account_id == "a.near"
    assert context.signer_account_pk == KEY
    assert context.input == b"{}"
    assert (context.block_height, context.block_timestamp, context.epoch_height) == (7, 8, 9)
    assert context.attached_deposit == 2**128 - 1
    assert context.random_seed == bytes(32)
    assert context.is_view is False


def test_silence_is_none():
    assert read() == NO_CONTEXT


def test_forms():
    assert read(signer_account_pk=base58.encode(KEY)).signer_account_pk == KEY
    assert read(input='{"a":1}').input == b'{"a":1}'
    assert read(random_seed="A" * 43 + "=").random_seed == bytes(32)
    assert read(view_config={"max_gas_burnt": 1}).is_view is True
    assert read(is_view=True).is_view is True
    assert read(block_height=3).block_height == 3


@pytest.mark.parametrize(
    "members",
    [
        {"unknown": 1},
        {"current_account_id": "A"},
        {"block_index": 1, "block_height": 1},
        {"prepaid_gas": -1},
        {"prepaid_gas": 2**64},
        {"prepaid_gas": True},
        {"attached_deposit": "1e3"},
        {"signer_account_pk": "ed25519:1"},
        {"random_seed": "00"},
        {"is_view": "yes"},
        {"input": 1},
    ],
)
def test_refused(members):
    with pytest.raises(BadInputError):
        read(**members)


def test_output_data_receivers_are_refused_by_name():
    with pytest.raises(UnsupportedError) as raised:
        read(output_data_receivers=["a.near"])
    assert raised.value.code == "unsupported-output-data-receivers"
