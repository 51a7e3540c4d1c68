"""Manifests: every form means the same, and every mistake has a place."""

import json

import pytest

from near_tee_cli.batch.manifest import Item, parse_manifest
from near_tee_cli.errors import BadInputError

ITEMS = [
    {"contract": "a.wasm", "method": "set", "args": {"k": [1, None]}, "block_height": 5, "view": False},
    {"name": "b", "contract": "a.wasm", "method": "set", "as-transaction": True, "with": ["x=y.wasm", "z=w.wasm"]},
]
MEANT = [
    Item("item-1", ("a.wasm", "set", '--args={"k":[1,null]}', "--block-height=5")),
    Item("b", ("a.wasm", "set", "--as-transaction", "--with=x=y.wasm", "--with=z=w.wasm")),
]
TOML = """
version = 1
[defaults]
contract = "a.wasm"
method = "set"
[[items]]
args = { k = [1] }
block_height = 5
[[items]]
name = "b"
as-transaction = true
with = ["x=y.wasm", "z=w.wasm"]
"""


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ITEMS),
        json.dumps({"items": ITEMS}),
        json.dumps({"version": 1, "defaults": {"contract": "a.wasm"}, "items": ITEMS}, indent=2),
        "\n".join(map(json.dumps, ITEMS)) + "\n\n",
        "\r\n\n".join(map(json.dumps, ITEMS)),
        '{"items":[\n' + ",\n".join(map(json.dumps, ITEMS)) + "\n]}",
        '{\n"items":\n[' + json.dumps(ITEMS[0]) + ",\n" + json.dumps(ITEMS[1]) + "]\n}\n",
    ],
)
def test_forms(text) -> None:
    assert parse_manifest(text.encode(), "m") == MEANT


def test_toml_and_one_object() -> None:
    first, second = parse_manifest(TOML.encode(), "m")
    assert (first.words, second) == (("a.wasm", "set", '--args={"k":[1]}', "--block-height=5"), MEANT[1])
    assert parse_manifest(json.dumps(ITEMS[1]).encode(), "m") == [MEANT[1]]
    tables = TOML.replace("version = 1", "").lstrip()
    assert tables.startswith("[defaults]")
    assert len(parse_manifest(tables.encode(), "m")) == 2
    assert parse_manifest(b"[[items]]\ncase = 'a.json'", "m")[0].words == ("--case=a.json",)
    assert parse_manifest(b'{"case":"a.json","args":"text"}', "m")[0].words == ("--case=a.json", "--args=text")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[5]",
        '{"items": 5}',
        '{"items": []}',
        '{"version": 2, "items": [{}]}',
        '{"items": [{}], "more": 1}',
        '[{"name": "../x"}]',
        '[{"name": ".x"}]',
        '[{"name": "a/b"}]',
        '[{"name": ""}]',
        '[{"name": 5}]',
        '[{"name": "a"}, {"name": "a"}]',
        '[{"contract": "--out"}]',
        '[{"contract": 5.5}]',
        '[{"block_height": null}]',
        '[{"block_height": {"a": 1}}]',
        '[{"a b": "c"}]',
        '[{"a=b": "c"}]',
        '[{"args": 1.5}]',
        '{"a":1}\n{"a":1',
        "items = 5",
        "= 5",
        "\x00",
        "[" * 200,
    ],
)
def test_mistakes(text) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_manifest(text.encode(), "m")
    assert caught.value.code == "bad-manifest"


def test_a_key_without_end_is_refused_before_it_is_read() -> None:
    with pytest.raises(BadInputError) as caught:
        parse_manifest(b".".join([b"a"] * 200_000) + b" = 1\n", "the manifest")
    assert caught.value.code == "bad-manifest"
