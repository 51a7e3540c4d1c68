"""Edits as a line writes them."""

import pytest

from near_tee_cli.cli.commands.state_set import LINE
from near_tee_cli.cli.parser import parse
from near_tee_cli.cli.world_edits import edits_of
from near_tee_cli.errors import UsageError
from near_tee_cli.primitives.schema.access_key import AccessKey, FunctionCallPermission
from tests.support.worlds import public_key

KEY = "ed25519:3wHg5Vs8YsuDXGkmsszLWV1gTCwqdNV3SPtzMLm8my2n"


def edits(*flags):
    return edits_of(parse(LINE, ["state.json", "-o", "x", *flags]))


def test_nothing():
    assert not any(edits())


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("a.near:STATE=x", b"STATE", b"x"),
        ("a.near:k=v=w", b"k", b"v=w"),
        ("a.near:=", b"", b""),
        ("a.near:a:b=c", b"a:b", b"c"),
        ("a.near:hex:00ff=hex:0x01", b"\x00\xff", b"\x01"),
        ("a.near:base64:YQ===base64:YWI=", b"a", b"ab"),
        ("a.near:base64:YWI==text", b"ab", b"text"),
        ("a.near:base64:YWJj=base64:", b"abc", b""),
        ("a.near:k=ü", b"k", "ü".encode()),
    ],
)
def test_data(text, key, value):
    assert edits("--data", text).data == (("a.near", key, value),)


def test_data_from_a_file(tmp_path):
    (tmp_path / "value").write_bytes(b"\x00\xff")
    assert edits("--data", f"a.near:k=@{tmp_path / 'value'}").data == (("a.near", b"k", b"\x00\xff"),)


def test_keys():
    assert edits("--add-key", f"a.near={KEY}").keys[0][2] == AccessKey(0, None, None)
    text = f"a.near={KEY},receiver=b.near,method=m,method=n,allowance=1 NEAR,nonce=7"
    name, handle, key = edits("--add-key", text).keys[0]
    assert (name, handle) == ("a.near", public_key("near-tee"))
    assert key == AccessKey(7, FunctionCallPermission(10**24, "b.near", ("m", "n")), None)
    assert edits("--remove-key", f"a.near={KEY}").removed_keys == (("a.near", handle),)


def test_balances():
    found = edits("--account", "a.near=1 NEAR", "--locked", "a.near=2 yN", "--remove-account", "b.near")
    assert (found.balances, found.locked, found.removed_accounts) == (
        (("a.near", 10**24),), (("a.near", 2),), ("b.near",),
    )  # fmt: skip


@pytest.mark.parametrize(
    "flags",
    [
        ("--data", "a.near"),
        ("--data", "a.near:key"),
        ("--data", "A:k=v"),
        ("--data", "a.near:hex:0=v"),
        ("--data", "a.near:base64:YQ=v"),
        ("--data", "a.near:k=hex:zz"),
        ("--data", "a.near:k=1", "--data", "a.near:hex:6b=2"),
        ("--data", "a.near:k=1", "--remove-data", "a.near:k"),
        ("--data", "a.near:k=@-", "--data", "a.near:l=@-"),
        ("--remove-data", "a.near"),
        ("--add-key", "a.near"),
        ("--add-key", "a.near=nothing"),
        ("--add-key", f"a.near={KEY},method=m"),
        ("--add-key", f"a.near={KEY},allowance=1 NEAR"),
        ("--add-key", f"a.near={KEY},receiver=b.near,receiver=b.near"),
        ("--add-key", f"a.near={KEY},what=1"),
        ("--add-key", f"a.near={KEY}", "--remove-key", f"a.near={KEY}"),
        ("--remove-code", "a.near", "--remove-code", "a.near"),
        ("--remove-account", "a.near", "--remove-account", "a.near"),
        ("--locked", "a.near=1"),
    ],
)
def test_lines_that_make_no_sense(flags):
    with pytest.raises(UsageError) as refused:
        edits(*flags)
    assert refused.value.where is not None
