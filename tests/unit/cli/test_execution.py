"""Calls that enter as receipts and transactions, followed to their end; the machine is a stub, the runtime is not."""

import pytest

from near_tee_cli.cli import defaults
from near_tee_cli.cli.call import asked
from near_tee_cli.cli.contract_failure import error_of
from near_tee_cli.cli.execution import execute
from near_tee_cli.cli.render_run import run_lines
from near_tee_cli.cli.report import Audience
from near_tee_cli.cli.results import run_result
from near_tee_cli.cli.start import start
from near_tee_cli.cli.terminal import Style
from near_tee_cli.primitives.schema.account import decode_account
from near_tee_cli.state import keys
from near_tee_cli.state.trie import Trie
from near_tee_cli.vm.outcome import MethodResolveError
from tests.unit.cli.support import PANIC, StubMachine, given

WASM = b"\0asm\1\0\0\0"


@pytest.fixture
def run(tmp_path):
    path = tmp_path / "contract.wasm"
    path.write_bytes(WASM)

    def make(*flags, machine=None):
        wanted = asked(given(str(path), "method", *flags))
        begin = start(wanted)
        machine = machine or StubMachine()
        execution = execute(begin, wanted.call, machine)
        return wanted, execution, run_result(wanted, begin, execution), machine

    return make


def lines(result, **how):
    audience = Audience(Style(enabled=False), quiet=how.get("quiet", False), verbose=how.get("verbose", 0))
    return run_lines(result, audience)


def test_receipt_runs_in_the_first_block_and_its_refund_in_the_second(run):
    _, execution, result, machine = run()
    assert len(execution.transitions) == 2
    assert result["status"] == "success"
    assert result["return_value"]["json"] == {"x": 1}
    assert [receipt["state"] for receipt in result["receipts"]] == ["success"]
    assert result["in_flight"] == 0
    (context,) = machine.contexts
    assert context.current_account_id == defaults.CONTRACT
    assert context.account_balance == defaults.BALANCE
    assert context.prepaid_gas == defaults.GAS
    assert sum(part["gas"] for part in result["gas"]["parts"]) == result["gas"]["burnt"]
    assert result["gas"]["used"] == result["gas"]["burnt"]


def test_single_stops_after_the_first_block(run):
    _, execution, result, _ = run("--single")
    assert len(execution.transitions) == 1
    assert result["in_flight"] == 1
    assert result["status"] == "success"


def test_default_world_charges_storage_as_a_chain_does(run):
    _, execution, _, _ = run("--single")
    before = Trie(execution.world.store, execution.pre_root)
    contract = decode_account(before.get(keys.account("contract.near")))
    user = decode_account(before.get(keys.account("user.near")))
    assert contract.storage_usage == 100 + len(WASM)
    assert user.storage_usage == 100 + 40 + 33 + 9
    assert before.get(keys.contract_code("contract.near")) == WASM


def test_transaction_checks_and_charges(run):
    _, execution, result, _ = run("--as-transaction", "--deposit", "1 NEAR")
    assert len(execution.transitions) == 3
    assert result["call"]["entry"] == "transaction"
    assert result["status"] == "success"
    changed = {change["column"] for change in result["state_changes"]}
    assert "AccessKey" in changed


def test_transaction_single_leaves_the_call_in_flight(run):
    _, _, result, _ = run("--as-transaction", "--single")
    assert result["status"] == "pending"
    assert result["in_flight"] == 1
    assert "in flight" in lines(result)[0]


def test_balance_flags_reach_the_pre_state(run):
    *_, machine = run("--balance", "7 NEAR", "--storage-usage", "5000")
    assert machine.contexts[0].account_balance == 7 * 10**24
    assert machine.contexts[0].storage_usage == 5000


def test_failure_is_a_result(run):
    wanted, _, result, _ = run(machine=StubMachine(aborted=PANIC))
    assert result["status"] == "failure"
    error = error_of(result, wanted.call)
    assert error["code"] == "contract-failed"
    assert error["message"] == "Smart contract panicked: no \x1b[31m"
    text = "\n".join(lines(result))
    assert "\x1b" not in text
    assert "no \\e[31m" in text
    assert lines(result, quiet=True) == ["Smart contract panicked: no \\e[31m"]


def test_missing_method_names_the_nearest(run):
    wanted, _, result, _ = run(machine=StubMachine(aborted=MethodResolveError.NOT_FOUND))
    assert error_of(result, wanted.call)["message"] == "MethodNotFound: the contract has no method method"


def test_defaults_are_named(run):
    _, _, result, _ = run("--gas", "50 Tgas", "--block-height", "9")
    named = result["call"]["defaults"]
    assert "gas" not in named
    assert "block_height" not in named
    assert {"args", "deposit", "signer_id", "predecessor_id", "gas_price", "random_seed", "chain_id"} <= set(named)


def test_same_line_same_result(run):
    assert run()[2] == run()[2]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"", "nothing returned"),
        (b"\xff\x00", "returned 0xff00"),
        (b"a\nb", "returned a\\nb"),
        (b"null", "returned null"),
    ],
)
def test_return_values(run, value, shown):
    assert lines(run(machine=StubMachine(value=value))[2])[1] == f"  {shown}"


def test_text_shows_everything(run):
    machine = StubMachine(
        logs=("hello \x1b[2J", 'EVENT_JSON:{"standard":"s","version":"1","event":"e"}', "EVENT_JSON:[")
    )
    text = "\n".join(lines(run(machine=machine)[2], verbose=1))
    for expected in ("hello \\e[2J", "s 1 e", "malformed", "total", "ContractData STATE", "gas refund", " → "):
        assert expected in text
