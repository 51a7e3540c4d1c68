"""Chains of bundles as a user makes, packs and verifies them."""

import itertools
import json

import pytest

from tests.support.cli import PROJECT, near_tee
from tests.support.steps import YIELD_WASM

COUNTER = PROJECT / "examples" / "wat" / "counter.wasm"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def made(home, tmp_path_factory):
    """A directory with the steps of a yield, answered twice, and its chain."""
    directory = tmp_path_factory.mktemp("chain")
    for line in (
        ("yield", YIELD_WASM, "ask", '"q"', "--out", "asked"),
        ("resume", "asked", "--data", "yes", "--out", "yes"),
        ("resume", "asked", "--timeout", "--out", "late"),
        ("prove", "--from", "yes", "--all", "-o", "chain"),
        ("prove", "--from", "yes", "--all", "-o", "chain.ntc"),
        ("prove", "--from", "late", "--all", "-o", "late.chain"),
    ):
        done = near_tee(*line, home=home, cwd=directory)
        assert done.code == 0, done.err
    return directory


@pytest.fixture
def tee(home, made):
    return lambda *arguments, **more: near_tee(*arguments, home=home, cwd=made, **more)


def test_a_chain_over_a_yield(tee, made) -> None:
    assert sorted(path.name for path in (made / "chain").iterdir()) == ["00-asked.ntb", "01-yes.ntb"]
    for named in (("chain",), ("chain.ntc",), ("chain/00-asked.ntb", "chain/01-yes.ntb")):
        done = tee("verify", "--chain", *named, "--json")
        assert done.code == 0, done.err
        first, second = done.document["result"]["bundles"]
        assert [entry["checks"][17]["result"] for entry in (first, second)] == ["not-made", "passed"]
        assert first["claim"]["sequence"] + 1 == second["claim"]["sequence"]
        assert second["claim"]["previous"] == first["claim_digest"]


def test_a_chain_of_one_has_no_link(tee) -> None:
    done = tee("verify", "--chain", "chain/00-asked.ntb", "--json")
    assert (done.code, done.document["result"]["checks"][17]["result"]) == (0, "not-made")


def test_expectations_of_a_chain_over_a_yield(tee) -> None:
    """Data that resumes a yield is brought by no call; when a yield times out, nothing comes in."""
    done = tee("verify", "--chain", "chain", "--method", "ask", "--json")
    assert (done.code, done.document["error"]["code"]) == (4, "unexpected-method")
    assert [entry["verdict"] for entry in done.document["result"]["bundles"]] == ["established", "contradicted"]
    late = tee("verify", "--chain", "late.chain", "--method", "ask", "--contract", "contract.near", "--json")
    assert late.code == 0, late.err
    assert "nothing came in from outside" in late.document["result"]["bundles"][1]["checks"][19]["detail"]
    assert tee("verify", "late.chain/01-late.ntb", "--method", "ask").code == 4


def test_the_first_broken_link_is_named(tee) -> None:
    for names, code, where in (
        (("chain/01-yes.ntb", "chain/00-asked.ntb"), "chain-root", "bundle 2"),
        (("chain/00-asked.ntb", "chain/00-asked.ntb"), "chain-repeat", "bundle 2"),
        (("chain/00-asked.ntb", "chain/01-yes.ntb", "late.chain/01-late.ntb"), "chain-root", "bundle 3"),
    ):
        done = tee("verify", "--chain", *names, "--json")
        assert (done.code, done.document["error"]["code"]) == (4, code)
        assert done.document["error"]["message"].startswith(where)
    assert tee("verify", "chain/01-yes.ntb", "chain/00-asked.ntb").code == 0


def test_what_cannot_be_read_breaks_a_chain(tee, made) -> None:
    done = tee("verify", "--chain", "chain/00-asked.ntb", "nowhere.ntb", "chain/01-yes.ntb", "--json")
    entries = done.document["result"]["bundles"]
    assert [entry["code"] for entry in entries] == [None, "not-found", "chain-gap"]
    assert done.code == 4


def test_packed_and_unpacked(tee, made, tmp_path) -> None:
    packed = tmp_path / "again.ntc"
    done = tee("bundle", "pack", "chain/00-asked.ntb", "chain/01-yes.ntb", "-o", packed, "--json")
    assert done.document["result"]["size"] < done.document["result"]["unpacked"]
    assert packed.read_bytes() == (made / "chain.ntc").read_bytes()
    unpacked = tmp_path / "unpacked"
    assert tee("bundle", "unpack", packed, "-o", unpacked).code == 0
    for name, original in (("0000.ntb", "00-asked.ntb"), ("0001.ntb", "01-yes.ntb")):
        assert (unpacked / name).read_bytes() == (made / "chain" / original).read_bytes()
    assert tee("bundle", "unpack", packed, "-o", unpacked).code == 6
    assert (
        tee("bundle", "unpack", "chain/00-asked.ntb", "-o", tmp_path / "x", "--json").document["error"]["code"]
        == "not-a-chain"
    )
    (tmp_path / "damaged.ntc").write_bytes(packed.read_bytes()[:-1])
    assert tee("verify", tmp_path / "damaged.ntc").code == 6


def test_show(tee, tmp_path) -> None:
    text = tee("bundle", "show", "chain.ntc").out
    assert text.startswith("chain  chain.ntc")
    assert "bundle 1" in text
    result = tee("bundle", "show", "chain/00-asked.ntb", "--json").document["result"]
    (bundle,) = result["bundles"]
    assert (result["is_chain"], bundle["attachments"], bundle["claim"]["sequence"]) == (False, [], 0)
    assert tee("bundle", "show", COUNTER).code == 6


def test_claims_that_say_more(tee, made, tmp_path) -> None:
    first, second = tmp_path / "first.ntb", tmp_path / "second.ntb"
    said = ("--audience", "verifier.near", "--worker", "worker.near")
    done = tee("prove", COUNTER, "increment", *said, "--sequence", "7", "-o", first, "--json")
    claim = done.document["result"]["claim"]
    assert (claim["audience"], claim["worker"], claim["sequence"], claim["previous"]) == (
        "verifier.near", "worker.near", 7, None,
    )  # fmt: skip
    done = tee(
        "prove", COUNTER, "increment", "--previous", first, "--key-paths", "--detach-code", "-o", second, "--json"
    )
    follows = done.document["result"]["claim"]
    assert (follows["sequence"], follows["previous"]) == (8, done_digest(first, tee))
    by_name = tee("prove", COUNTER, "increment", "--previous", follows["previous"], "-o", tmp_path / "c.ntb", "--json")
    assert by_name.document["result"]["claim"]["previous"] == follows["previous"]
    assert tee("verify", second, "--json").document["error"]["code"] == "missing-code"
    verified = tee("verify", second, "--code", COUNTER, "--json")
    assert verified.code == 0
    assert verified.document["result"]["checks"][20]["result"] == "passed"
    assert tee("verify", first, "--audience", "verifier.near", "--worker", "worker.near").code == 0
    kinds = json.loads(tee("bundle", "show", second, "--json").out)["result"]["bundles"][0]["attachments"]
    assert [one["kind"] for one in kinds] == ["key-paths"]


def done_digest(path, tee):
    return tee("bundle", "show", path, "--json").document["result"]["bundles"][0]["claim_digest"]


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (("--audience", "UPPER"), 2),
        (("--sequence", "-1"), 2),
        (("--previous", "nowhere"), 2),
        (("--previous", str(COUNTER)), 6),
        (("--all",), 2),
    ],
)
def test_claims_that_make_no_sense(tee, tmp_path, flags, code) -> None:
    assert tee("prove", COUNTER, "increment", *flags, "-o", tmp_path / "x.ntb").code == code


def test_a_step_without_those_before_it(tee, made, home, tmp_path) -> None:
    import shutil

    shutil.copytree(made / "yes", tmp_path / "yes")
    done = near_tee("prove", "--from", "yes", "--all", "-o", "x", "--json", home=home, cwd=tmp_path)
    assert (done.code, done.document["error"]["code"]) == (6, "missing-step")
    assert near_tee("prove", "--from", "yes", "-o", "x.ntb", home=home, cwd=tmp_path).code == 0


def test_of_all_orders_of_the_bundles_one_is_accepted(tee, made) -> None:
    names = ["chain/00-asked.ntb", "chain/01-yes.ntb", "late.chain/01-late.ntb"]
    accepted = [
        order
        for count in (2, 3)
        for order in itertools.permutations(names, count)
        if tee("verify", "--chain", "--no-replay", *order).code == 0
    ]
    assert accepted == [("chain/00-asked.ntb", "chain/01-yes.ntb"), ("chain/00-asked.ntb", "late.chain/01-late.ntb")]
