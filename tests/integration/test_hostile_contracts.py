"""Hostile contracts in a batch: each ends in a named result, quickly, and the others are none the worse."""

import json
import time

import pytest

from tests.support.cli import PROJECT, near_tee
from tests.support.hostile import zoo

COUNTER = str(PROJECT / "examples" / "wat" / "counter.wasm")
ZOO = zoo()


def manifest(tmp_path, *, good):
    """A manifest of the zoo among `good` other items."""
    items = [
        {"name": f"n{number}", "contract": COUNTER, "method": "increment", "block_height": number + 1}
        for number in range(good)
    ]
    for number, (name, code) in enumerate(ZOO.items()):
        (tmp_path / f"{name}.wasm").write_bytes(code)
        item = {"name": name, "contract": f"{name}.wasm", "method": "m", "gas": "300 Tgas"}
        items.insert((number * 37) % (len(items) + 1), item)
    (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    return items


def proved(tmp_path, *flags):
    begun = time.monotonic()
    done = near_tee(
        "prove", "--batch", "manifest.jsonl", "-o", "out", "--json", *flags, home=tmp_path / "home", cwd=tmp_path
    )
    lines = [json.loads(line) for line in done.out.splitlines()]
    return lines[:-1], lines[-1], time.monotonic() - begun


HARMLESS = {
    "many-functions", "straight-line", "many-loops", "many-loops-many-times", "nested-loops", "long-names", "table",
    "memory-at-once",
}  # fmt: skip
"""Those that attack the compiler or the memory and then do nothing."""
NAMED = {"timeout", "out-of-memory", "killed", "child-crashed", "output-too-large", "bundle-too-large"}


def judged(found):
    """Every item of the zoo is proved with the failure that a chain would have, or ends in a named way."""
    for item in found:
        if item["name"] in ZOO and item["exit"] == 0:
            assert item["contract_failure"] or item["name"] in HARMLESS, item
        elif item["name"] in ZOO:
            assert item["error"]["code"] in NAMED, item
        else:
            assert (item["exit"], item["contract_failure"]) == (0, None), item


def test_each_ends_in_a_named_result(tmp_path) -> None:
    assert len(ZOO) >= 20
    items = manifest(tmp_path, good=10)
    found, _, seconds = proved(tmp_path, "--time-limit", "20")
    assert [item["name"] for item in found] == [item["name"] for item in items]
    judged(found)
    assert sum(item["exit"] == 0 for item in found) >= 10 + 20
    assert seconds < 60


def test_what_was_proved_of_them_verifies(tmp_path) -> None:
    manifest(tmp_path, good=0)
    found, _, _ = proved(tmp_path, "--time-limit", "20")
    paths = [item["path"] for item in found if item["exit"] == 0]
    done = near_tee("verify", *paths, "--json", "--time-limit", "20", home=tmp_path / "home", cwd=tmp_path)
    verdicts = {entry["path"]: entry["verdict"] for entry in done.document["result"]["bundles"]}
    assert set(verdicts.values()) == {"established"}


@pytest.mark.long
def test_twenty_among_a_thousand(tmp_path) -> None:
    manifest(tmp_path, good=1000 - len(ZOO))
    found, _, _ = proved(tmp_path, "--time-limit", "20", "--jobs", "2")
    judged(found)
    assert sum(item["name"] not in ZOO and item["exit"] == 0 for item in found) == 1000 - len(ZOO)
