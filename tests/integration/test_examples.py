"""The examples do what they say: binaries as listed, contracts that work, scripts that run."""

import base64
import hashlib
import json
import pathlib
import subprocess
import sys

import pytest

from tests.support.cli import near_tee

TOKEN = "examples/contracts/fungible-token/fungible_token.wasm"
STATUS = "examples/contracts/status-message/status_message.wasm"
SNAPSHOT = "examples/token-snapshot.json"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def run(home):
    def call(*arguments, code=0):
        done = near_tee("run", *arguments, "--json", home=home)
        assert done.code == code, done.err
        return done.document["result"]

    return call


def value(result):
    return result["return_value"]["json"]


def test_manifest_names_every_binary(project):
    lines = (project / "examples" / "MANIFEST").read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    there = {str(path.relative_to(project / "examples")) for path in (project / "examples").rglob("*.wasm")}
    assert set(listed) == there
    for name, digest in listed.items():
        assert hashlib.sha256((project / "examples" / name).read_bytes()).hexdigest() == digest


def test_binaries_are_their_texts(project):
    wasmtime = pytest.importorskip("wasmtime")
    for path in sorted((project / "examples" / "wat").glob("*.wat")):
        assert path.with_suffix(".wasm").read_bytes() == bytes(wasmtime.wat2wasm(path.read_text(encoding="utf-8")))


def test_no_path_of_the_building_machine_is_left(project):
    for path in (project / "examples").rglob("*.wasm"):
        assert b"/home/" not in path.read_bytes()
        assert b"/root/" not in path.read_bytes()


@pytest.mark.parametrize("compiler", ["winch", "cranelift"])
def test_the_older_kind_of_vm_knows_no_bulk_memory(run, compiler):
    how = ("--protocol-version", "83", "--compiler", compiler)
    counted = run("examples/wat/counter.wasm", "increment", *how)
    assert counted["status"] == "success"
    # A present compiler of Rust uses it, so that its contracts cannot be prepared there, as on chain.
    refused = run(STATUS, "new", *how, code=3)
    assert '"PrepareError": "Deserialization"' in json.dumps(refused)


@pytest.mark.parametrize("version", ["84", "85", "86"])
@pytest.mark.parametrize("compiler", ["winch", "cranelift"])
def test_status_message(run, tmp_path, version, compiler):
    how = ("--protocol-version", version, "--compiler", compiler)
    first, second = tmp_path / "1.json", tmp_path / "2.nts"
    run(STATUS, "new", "--state-out", first, *how)
    result = run(STATUS, "set_status", '{"message":"hello"}', "--state", first, "--state-out", second, *how)
    assert value(result) is None
    (event,) = result["events"]
    assert (event["standard"], event["event"]) == ("status", "set")
    shown = run(STATUS, "get_status", '{"account_id":"user.near"}', "--view", "--state", second)
    assert value(shown) == "hello"
    assert shown["state_root"] == result["state_root"]


def test_status_message_pays_back_and_copies(run, tmp_path):
    state = tmp_path / "1.json"
    run(STATUS, "new", "--state-out", state)
    paid = run(STATUS, "set_paid_status", '{"message":"x"}', "--deposit", "0.003 NEAR", "--state", state)
    assert value(paid) == str(2 * 10**21)
    assert any(receipt["receipt"]["Action"]["actions"] == [{"Transfer": {"deposit": str(2 * 10**21)}}]
               for receipt in paid["receipts"])  # fmt: skip
    copied = run(
        STATUS, "copy_status", '{"from_contract":"contract.near","account_id":"nobody.near"}', "--state", state
    )
    assert value(copied) == "nothing to copy"
    missing = run(STATUS, "copy_status", '{"from_contract":"none.near","account_id":"nobody.near"}', "--state", state)
    assert value(missing) == "the other contract failed"
    assert "failure" in [receipt["state"] for receipt in missing["receipts"]]


def test_token_transfers(run):
    how = ("--state", SNAPSHOT, "--contract", "token.near", "--signer", "alice.near", "--deposit", "1 yoctoNEAR")
    result = run(TOKEN, "ft_transfer", '{"receiver_id":"bob.near","amount":"10","memo":"a \\"memo\\""}', *how)
    (event,) = result["events"]
    assert event["data"] == [
        {"old_owner_id": "alice.near", "new_owner_id": "bob.near", "amount": "10", "memo": 'a "memo"'}
    ]
    refused = run(TOKEN, "ft_transfer", '{"receiver_id":"carol.near","amount":"10"}', *how, code=3)
    assert "carol.near is not registered" in json.dumps(refused["failure"])


@pytest.mark.parametrize(("message", "used"), [("", "5"), ("back", "0")])
def test_token_transfer_call(run, message, used):
    args = json.dumps({"receiver_id": "shop.near", "amount": "5", "msg": message})
    result = run(TOKEN, "ft_transfer_call", args, "--state", SNAPSHOT, "--contract", "token.near", "--signer",
                 "alice.near", "--deposit", "1 yoctoNEAR", "--gas", "max")  # fmt: skip
    assert value(result) == used
    assert len(result["events"]) == (1 if used == "5" else 2)
    assert result["in_flight"] == 0


def test_token_views(run):
    how = ("--view", "--state", SNAPSHOT, "--contract", "token.near")
    assert value(run(TOKEN, "ft_total_supply", *how)) == "1000000"
    assert value(run(TOKEN, "ft_balance_of", '{"account_id":"alice.near"}', *how)) == "1000000"
    assert value(run(TOKEN, "ft_metadata", *how))["spec"] == "ft-1.0.0"
    assert value(run(TOKEN, "storage_balance_of", '{"account_id":"bob.near"}', *how))["available"] == "0"
    assert value(run(TOKEN, "storage_balance_of", '{"account_id":"carol.near"}', *how)) is None


def test_token_storage_is_given_back(run):
    result = run(TOKEN, "storage_unregister", "--state", SNAPSHOT, "--contract", "token.near", "--signer", "bob.near",
                 "--deposit", "1 yoctoNEAR")  # fmt: skip
    assert value(result) is True


def test_small_contracts(run):
    assert run("examples/wat/counter.wasm", "increment")["return_value"]["base64"] == "AQAAAAAAAAA="
    assert "went wrong" in json.dumps(run("examples/wat/panic.wasm", "panic", code=3)["failure"])
    lost = run("examples/wat/panic.wasm", "write_then_panic", code=3)
    assert [change for change in lost["state_changes"] if change["column"] == "ContractData"] == []
    total = sum(range(1_000_001)).to_bytes(8, "little")
    assert base64.b64decode(run("examples/wat/loop.wasm", "count")["return_value"]["base64"]) == total
    given = run("examples/wat/promise.wasm", "give")
    assert [receipt["state"] for receipt in given["receipts"]] == ["success"] * len(given["receipts"])


def test_promise_waits_for_its_callback(run, tmp_path):
    state = tmp_path / "state.json"
    run("examples/wat/counter.wasm", "increment", "--contract", "counter.near", "--state-out", state)
    result = run("examples/wat/promise.wasm", "ask", "--state", state)
    assert result["return_value"]["base64"] == "AgAAAAAAAAA="
    alone = run("examples/wat/promise.wasm", "ask")
    assert alone["return_value"]["text"] == "failed"
    assert alone["status"] == "success"


def script(project, name, *arguments, home):
    path = pathlib.Path(sys.executable).parent
    environment = {"PATH": f"{path}:/usr/bin:/bin", "NEAR_TEE_HOME": str(home), "HOME": str(home)}
    return subprocess.run(
        ["sh", str(project / "examples" / name), *map(str, arguments)],
        env=environment, capture_output=True, text=True, check=False, cwd=home,
    )  # fmt: skip


def test_demo(project, home):
    done = script(project, "demo.sh", home=home)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("ESTABLISHED") == 2
    assert done.stdout.count("CONTRADICTED") + done.stdout.count("INCONCLUSIVE") == 1
    assert done.stdout.endswith("Refused, as it should be\n")


def test_token_snapshot_is_what_its_script_makes(project, home, tmp_path):
    target = tmp_path / "made.json"
    done = script(project, "token-snapshot.sh", target, home=home)
    assert done.returncode == 0, done.stderr
    assert target.read_bytes() == (project / SNAPSHOT).read_bytes()
