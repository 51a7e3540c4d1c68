"""Documents that say the same as the program."""

import re

from near_tee_cli.cli import defaults, exit_codes
from near_tee_cli.cli.units import shown_gas
from near_tee_cli.primitives import keys
from tests.support.cli import near_tee


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
    assert rows["blocks until a call that does not settle is left"] == str(defaults.MAX_BLOCKS)
    assert rows["epoch height"] == str(defaults.EPOCH_HEIGHT)
    assert rows["random seed"] == "32 zero bytes"
    assert bytes(32) == defaults.SEED


def test_default_key_is_that_of_its_published_seed():
    secret = keys.secret_key_from_seed(defaults.SIGNER_KEY_SEED, scheme=keys.ED25519)
    assert keys.public_key_text(keys.public_key_of(secret)) == defaults.SIGNER_PUBLIC_KEY


def section(project, name):
    text = (project / "docs" / "json.md").read_text(encoding="utf-8")
    part = text.partition(f"## `{name}`\n")[2].partition("\n## ")[0]
    return {
        word for row in re.findall(r"^\| ([^|]+) \|", part, re.MULTILINE) for word in re.findall(r"`([a-z_]+)`", row)
    }


def test_json_document_names_every_member(project, tmp_path):
    home = tmp_path / "home"
    counter = "examples/wat/counter.wasm"
    ran = near_tee("run", counter, "increment", "--out", tmp_path / "step", "--json", home=home).document["result"]
    assert section(project, "run") == set(ran)
    bundle = tmp_path / "b.ntb"
    proved = near_tee("prove", "--from", tmp_path / "step", "-o", bundle, "--json", home=home).document["result"]
    assert section(project, "prove") == set(proved)
    verified = near_tee("verify", bundle, "--json", home=home).document["result"]
    assert section(project, "verify") | section(project, "prove") - {"run", "signer"} == set(verified)
    snapshot = "examples/token-snapshot.json"
    rows = (project / "docs" / "json.md").read_text(encoding="utf-8").partition("## `state`")[2]
    for words in (("root", snapshot), ("show", snapshot, "--account", "token.near"), ("get", snapshot, "token.near"),
                  ("prove-key", snapshot, "token.near"), ("convert", snapshot, tmp_path / "s.nts")):  # fmt: skip
        members = near_tee("state", *words, "--json", home=home).document["result"]
        (row,) = re.findall(rf"^\| `{words[0]}` \| (.*) \|$", rows, re.MULTILINE)
        assert set(re.findall(r"`([a-z_]+)`", row)) == set(members)
