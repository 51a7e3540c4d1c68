"""Results of promises from a line and from a context file, and the receipts that bring them."""

import json

import pytest

from near_tee_cli.cli.call import asked
from near_tee_cli.cli.execution import execute
from near_tee_cli.cli.promise_results import promise_results
from near_tee_cli.cli.start import start
from near_tee_cli.errors import BadInputError, UnsupportedError, UsageError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.outcome import SuccessValue
from near_tee_cli.primitives.schema.receipt import DATA, DataReceipt
from near_tee_cli.proof.prover import prove
from tests.support.bundles import executed
from tests.support.cli import PROJECT
from tests.support.machines import machine
from tests.unit.cli.support import given

PROMISE = str(PROJECT / "examples" / "wat" / "promise.wasm")


def test_forms(tmp_path) -> None:
    path = tmp_path / "result"
    path.write_bytes(b"\0\xff")
    assert promise_results(("ok:", "ok:text", "failed", f"ok:@{path}")) == (b"", b"text", None, b"\0\xff")


@pytest.mark.parametrize(
    ("text", "error", "code"),
    [
        ("text", UsageError, "usage"),
        ("OK:text", UsageError, "usage"),
        ("not-ready", UnsupportedError, "unsupported-promise-not-ready"),
        ("ok:@/nowhere", BadInputError, "not-found"),
    ],
)
def test_refusals(text, error, code) -> None:
    with pytest.raises(error) as caught:
        promise_results((text,))
    assert caught.value.code == code


def called(*flags):
    wanted = asked(given(PROMISE, "answered", *flags))
    begin = start(wanted)
    return wanted, execute(begin, wanted.call, machine())


def value(execution):
    status = execution.final_outcome().outcome.status
    assert isinstance(status, SuccessValue)
    return status.value


@pytest.mark.parametrize(("result", "returned"), [("ok:five", b"five"), ("failed", b"failed"), ("ok:", b"")])
def test_the_callback_gets_its_result(result, returned) -> None:
    wanted, execution = called("--promise-result", result)
    assert value(execution) == returned
    assert wanted.call.predecessor_id == wanted.call.contract_id
    data, call = execution.transitions[0].inputs.receipts
    assert isinstance(data.body, DataReceipt)
    assert (data.predecessor_id, data.receiver_id, data.body.tag) == ("contract.near", "contract.near", DATA)
    assert call.body.input_data_ids == (data.body.data_id,)


def test_ids_follow_from_the_line() -> None:
    _, execution = called("--promise-result", "ok:1", "--promise-result", "failed")
    _, again = called("--promise-result", "ok:1", "--promise-result", "failed")
    assert execution.transitions[0].inputs == again.transitions[0].inputs
    first, second, call = execution.transitions[0].inputs.receipts
    _, plain = called("--predecessor", "contract.near")
    (receipt,) = plain.transitions[0].inputs.receipts
    for position, data in enumerate((first, second)):
        domain = b"near-tee/data/v1\0" + position.to_bytes(4, "little")
        assert data.body.data_id == sha256(domain + receipt.receipt_id)
    assert len({one.receipt_id for one in (first, second, call, receipt)}) == 4


def test_it_is_proved_and_verified() -> None:
    _, execution = called("--promise-result", "ok:five")
    world = execution.world
    proof = prove(world.config, world.chain, transitions=execution.transitions, machine=machine())
    assert executed(proof.data, max_gas=10**18).verdict.value == "established"


@pytest.mark.parametrize("flag", ["--view", "--as-transaction"])
def test_without_meaning(flag) -> None:
    with pytest.raises(UsageError) as caught:
        called("--promise-result", "failed", flag)
    assert caught.value.where == "--promise-result"


def test_context_files(tmp_path) -> None:
    path = tmp_path / "context.json"
    results = [{"Successful": "ZXZl"}, "Failed", {"Successful": [1, 2]}]
    path.write_text(json.dumps({"promise_results": results}))
    wanted, _ = called("--context", str(path))
    assert wanted.call.promise_results == (b"eve", None, b"\1\2")
    wanted, _ = called("--context", str(path), "--promise-result", "failed")
    assert wanted.call.promise_results == (None,)
    for wrong in (["NotReady"], [{"Successful": 5}], [{"Other": ""}], {}, [{"Successful": [256]}]):
        path.write_text(json.dumps({"promise_results": wrong}))
        with pytest.raises(BadInputError):
            called("--context", str(path))
