"""The cache of compiled code behind commands whose children cannot write: what they compile is kept all the same."""

import json

import pytest

from tests.support.cli import PROJECT, near_tee

WAT = PROJECT / "examples" / "wat"
COUNTER, PROMISE = WAT / "counter.wasm", WAT / "promise.wasm"


@pytest.fixture
def tee(tmp_path):
    def call(*arguments):
        done = near_tee(*arguments, home=tmp_path / "home", cwd=tmp_path)
        assert done.code == 0, done.err
        return done

    return call


@pytest.fixture
def entries(tmp_path):
    """Names and times of what is in a namespace."""

    def listed(namespace):
        return {path.name: path.stat().st_mtime_ns for path in (tmp_path / "home" / "cache" / namespace).iterdir()}

    return listed


def test_what_verify_compiles_is_kept_for_verify_alone(tee, entries, tmp_path) -> None:
    tee("state", "init", "-o", "state.json", "--with", f"counter.near={COUNTER}")
    tee("prove", PROMISE, "ask", "--state", "state.json", "-o", "a.ntb")
    proved = entries("run")
    assert len(proved) == 2
    tee("verify", "a.ntb")
    kept = entries("verify")
    assert len(kept) == 2
    tee("verify", "a.ntb")
    assert (entries("verify"), entries("run")) == (kept, proved)


def test_a_batch_keeps_what_it_compiled_before_and_after_it_executed(tee, entries, tmp_path) -> None:
    tee("state", "init", "-o", "state.json", "--with", f"counter.near={COUNTER}")
    item = {"contract": str(PROMISE), "method": "ask", "state": "state.json"}
    (tmp_path / "m.jsonl").write_text("".join(json.dumps({**item, "block_height": n}) + "\n" for n in (7, 8, 9)))
    tee("prove", "--batch", "m.jsonl", "-o", "out", "--jobs", "1")
    kept = entries("run")
    assert len(kept) == 2
    tee("prove", "--batch", "m.jsonl", "-o", "again", "--jobs", "1")
    assert entries("run") == kept
