"""Documents that say the same as the program."""

import re

from near_tee_cli.cli import defaults, exit_codes
from near_tee_cli.cli.units import shown_gas
from near_tee_cli.primitives import keys


def test_exit_codes_document(project):
    text = (project / "docs" / "exit-codes.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\d+) \| `([a-z-]+)` \|", text, re.MULTILINE))
    assert {int(code): word for code, word in rows.items()} == exit_codes.WORDS


def test_defaults_document(project):
    text = (project / "docs" / "defaults.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \| [^|]*\|$", text, re.MULTILINE))
    assert rows["contract account"] == f"`{defaults.CONTRACT}`"
    assert rows["signer"] == f"`{defaults.SIGNER}`"
    assert rows["signer's public key"] == f"`{defaults.SIGNER_PUBLIC_KEY}`"
    assert rows["balance of every account that is made"] == f"{defaults.BALANCE // 10**24} NEAR"
    assert rows["balance at stake"] == str(defaults.LOCKED_BALANCE)
    assert rows["arguments"] == f"`{defaults.ARGS.decode()}`"
    assert rows["gas attached"] == shown_gas(defaults.GAS)
    assert rows["deposit attached"] == str(defaults.DEPOSIT)
    assert rows["protocol version"] == str(defaults.PROTOCOL_VERSION)
    assert rows["chain id"] == f"`{defaults.CHAIN_ID}`"
    assert rows["gas price"] == f"{defaults.GAS_PRICE} yoctoNEAR"
    assert rows["gas limit of a chunk"] == str(defaults.GAS_LIMIT)
    assert rows["block height"] == str(defaults.BLOCK_HEIGHT)
    assert rows["block timestamp"] == f"{defaults.BLOCK_TIMESTAMP} ns"
    assert rows["epoch height"] == str(defaults.EPOCH_HEIGHT)
    assert rows["random seed"] == "32 zero bytes"
    assert bytes(32) == defaults.SEED


def test_default_key_is_that_of_its_published_seed():
    secret = keys.secret_key_from_seed(defaults.SIGNER_KEY_SEED, scheme=keys.ED25519)
    assert keys.public_key_text(keys.public_key_of(secret)) == defaults.SIGNER_PUBLIC_KEY
