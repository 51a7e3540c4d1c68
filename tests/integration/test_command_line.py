"""The program as its user meets it: whole commands in processes of their own, good input and bad."""

import json
import os
import signal
import stat
import subprocess
import sys
import time

import pytest

from tests.support.cli import PROJECT, near_tee

COUNTER = "examples/wat/counter.wasm"
LOOP = "examples/wat/loop.wasm"
PANIC = "examples/wat/panic.wasm"
TOKEN = "examples/contracts/fungible-token/fungible_token.wasm"
SNAPSHOT = "examples/token-snapshot.json"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def cli(home):
    def call(*arguments, **how):
        return near_tee(*arguments, home=home, **how)

    return call


def refused(done, code, word):
    """The command ended as an error ends: code, one line with the word, at most one hint, no traceback."""
    assert done.code == code, (done.out, done.err)
    lines = [line for line in done.err.splitlines() if not line.startswith("warning: ")]
    assert lines[0].startswith(f"error[{word}]: "), done.err
    assert len(lines) <= 2
    assert all(line.startswith("hint: ") for line in lines[1:])
    assert "Traceback" not in done.err


# From a call to a proof.


def test_run_prove_verify_a_step(cli, tmp_path):
    step, bundle = tmp_path / "step", tmp_path / "b.ntb"
    ran = cli("run", COUNTER, "increment", "--out", step, "--json")
    assert ran.code == 0
    proved = cli("prove", "--from", step, "-o", bundle, "--json")
    assert proved.code == 0
    document = proved.document["result"]
    assert document["pre_root"] == ran.document["result"]["pre_state_root"]
    assert document["post_root"] == ran.document["result"]["state_root"]
    verified = cli("verify", bundle, "--json")
    assert verified.code == 0
    result = verified.document["result"]
    assert result["verdict"] == "established"
    assert result["strengths"] == ["consistent", "re-executed"]
    assert (result["pre_root"], result["post_root"]) == (document["pre_root"], document["post_root"])
    assert {check["result"] for check in result["checks"][:15]} == {"passed"}
    quick = cli("verify", "--no-replay", bundle, "--json").document["result"]
    assert quick["strengths"] == ["consistent"]


def test_proving_the_call_and_its_step_give_the_same_bytes(cli, tmp_path):
    step = tmp_path / "step"
    assert cli("run", COUNTER, "increment", "--out", step).code == 0
    assert cli("prove", "--from", step, "-o", tmp_path / "1.ntb").code == 0
    assert cli("prove", COUNTER, "increment", "-o", tmp_path / "2.ntb").code == 0
    assert cli("prove", COUNTER, "increment", "-o", tmp_path / "3.ntb", "--compiler", "cranelift").code == 0
    contents = {(tmp_path / f"{number}.ntb").read_bytes() for number in (1, 2, 3)}
    assert len(contents) == 1


def test_environment_changes_nothing(cli, tmp_path):
    outputs = set()
    for number, environment in enumerate(
        (
            {},
            {"TZ": "Asia/Tokyo", "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "7"},
            {"PYTHONHASHSEED": "99", "LC_ALL": "C"},
        )
    ):
        bundle = tmp_path / f"{number}.ntb"
        assert cli("prove", TOKEN, "ft_total_supply", "--state", SNAPSHOT, "--contract", "token.near", "-o", bundle,
                   **environment).code == 0  # fmt: skip
        outputs.add(bundle.read_bytes())
    assert len(outputs) == 1


def test_failure_is_proved(cli, tmp_path):
    bundle = tmp_path / "b.ntb"
    proved = cli("prove", PANIC, "panic", "-o", bundle)
    assert proved.code == 0
    assert "the contract failed, provably: Smart contract panicked: something went wrong" in proved.out
    assert cli("verify", bundle).code == 0


def test_steps_continue_from_steps(cli, tmp_path):
    first, second = tmp_path / "1", tmp_path / "2"
    one = cli("run", COUNTER, "increment", "--out", first, "--json").document["result"]
    two = cli("run", COUNTER, "increment", "--state", first, "--out", second, "--json").document["result"]
    assert two["pre_state_root"] == one["state_root"]
    assert two["call"]["block_height"] == one["blocks"][-1]["height"] + 1
    assert two["return_value"]["base64"] == "AgAAAAAAAAA="
    parent = cli("inspect", second, "--json").document["result"]["parent"]
    assert parent == one["written"]["step"]["digest"]


def test_transaction(cli, tmp_path):
    result = cli("run", COUNTER, "increment", "--as-transaction", "--json").document["result"]
    assert result["call"]["entry"] == "transaction"
    assert len(result["blocks"]) == 3
    bundle = tmp_path / "b.ntb"
    assert cli("prove", COUNTER, "increment", "--as-transaction", "-o", bundle).code == 0
    assert cli("verify", bundle).code == 0


def test_transaction_that_a_chain_would_refuse(cli):
    how = ("--as-transaction", "--state", SNAPSHOT, "--contract", "token.near")
    unknown = cli("run", TOKEN, "ft_total_supply", *how, "--signer", "nobody.near", "--json")
    refused(unknown, 3, "contract-failed")
    assert unknown.document["result"]["failure"] == {
        "InvalidTxError": {"InvalidSignerId": {"signer_id": "nobody.near"}}
    }
    poor = cli("run", TOKEN, "ft_total_supply", *how, "--signer", "alice.near", "--deposit", "2000 NEAR", "--json")
    assert "NotEnoughBalance" in json.dumps(poor.document["result"]["failure"])
    assert poor.code == 3


def test_contract_that_signs_for_itself(cli):
    result = cli("run", COUNTER, "increment", "--signer", "contract.near", "--as-transaction", "--json")
    assert result.code == 0, result.err
    assert len(result.document["result"]["receipts"]) >= 1


def test_key_from_a_file(cli, tmp_path):
    key = tmp_path / "key.json"
    secret = "ed25519:3D1vMSU9sraJWN1UEYWtpxiFnyyAYYEEJc3j1THgc3jFRqz1buLf2MLvj61NGwM7YFYcJaKgqDVEymFSMDgkHoHp"
    key.write_text(json.dumps({"account_id": "user.near", "private_key": secret}))
    key.chmod(0o600)
    done = cli("run", COUNTER, "increment", "--as-transaction", "--key", key, "--json")
    assert done.code == 0
    assert secret[8:] not in done.out + done.err
    key.write_text(secret[:-1])
    refused(cli("run", COUNTER, "increment", "--as-transaction", "--key", key), 6, "bad-key")


def test_recorded_case(cli, tmp_path):
    case = PROJECT / "fixtures" / "bench" / "bench_transfers.json"
    bundle = tmp_path / "b.ntb"
    assert cli("prove", "--case", case, "-o", bundle).code == 0
    assert cli("verify", "--no-replay", bundle).code == 0


# Replay.


def test_replay_agrees_and_differs(cli, tmp_path):
    case = PROJECT / "fixtures" / "bench" / "bench_hostcalls.json"
    assert cli("replay", case).code == 0
    document = json.loads(case.read_text(encoding="utf-8"))
    document["expect"]["blocks"][1]["outcomes"][0]["outcome"]["gas_burnt"] += 1
    changed = tmp_path / "bench_hostcalls.json"
    changed.write_text(json.dumps(document))
    done = cli("replay", changed, "--json")
    refused(done, 7, "diverged")
    (entry,) = done.document["result"]["cases"]
    assert entry["verdict"] == "differs"
    assert "blocks[1].outcomes[0].outcome.gas_burnt" in done.err


def test_replay_malformed_and_unsupported(cli, tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text('{"format":"near-tee/case/v1"}')
    refused(cli("replay", bad), 6, "bad-field")
    old = json.loads((PROJECT / "fixtures" / "bench" / "bench_hostcalls.json").read_text(encoding="utf-8"))
    old["protocol_version"] = 82
    bad.write_text(json.dumps(old))
    done = cli("replay", bad, "--json")
    refused(done, 6, "unsupported-protocol-version")
    assert done.document["result"]["counts"]["refused"] == 1


# State.


def test_conversion_there_and_back(cli, tmp_path):
    borsh, again = tmp_path / "s.nts", tmp_path / "s.json"
    root = cli("state", "root", SNAPSHOT).out
    assert cli("state", "convert", SNAPSHOT, borsh).code == 0
    assert cli("state", "root", borsh).out == root
    assert cli("state", "convert", borsh, again).code == 0
    assert again.read_bytes() == (PROJECT / SNAPSHOT).read_bytes()


def test_snapshot_from_standard_input(cli):
    data = (PROJECT / SNAPSHOT).read_bytes()
    assert cli("state", "root", "-", stdin=data).out == cli("state", "root", SNAPSHOT).out


def test_rows_of_a_snapshot(cli):
    account = cli("state", "get", SNAPSHOT, "token.near", "--json").document["result"]
    assert account["view"]["storage_usage"] > 0
    absent = cli("state", "get", SNAPSHOT, "token.near", "no such key", "--json").document["result"]
    assert absent["found"] is False
    proof = cli("state", "prove-key", SNAPSHOT, "token.near", "STATE", "--json").document["result"]
    assert proof["found"] is True
    assert proof["state_root"] == cli("state", "root", SNAPSHOT).out.strip()
    nothing = cli("state", "prove-key", SNAPSHOT, "nobody.near", "--json").document["result"]
    assert nothing["found"] is False
    assert nothing["proof"]


def test_shown_state(cli):
    shown = cli("state", "show", SNAPSHOT, "--account", "token.near").out
    assert "code of 139,585 bytes" in shown
    assert "ContractData" in shown


# Bad input.


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["run", "none.wasm", "m"], 6, "not-found"),
        (["run", "examples", "m"], 6, "not-a-file"),
        (["run", "/dev/zero", "m"], 6, "not-a-file"),
        (["run", COUNTER, "get", "--state", "README.md"], 6, "not-a-snapshot"),
        (["run", COUNTER, "get", "--protocol-version", "82"], 6, "unsupported-protocol-version"),
        (["run", COUNTER, "get", "--gas", "5"], 2, "usage"),
        (["run", COUNTER, "get", "--compiler", "gcc"], 2, "usage"),
        (["run", COUNTER], 2, "usage"),
        (["run", COUNTER, "get", "--output", "xml"], 2, "usage"),
        (["prove", COUNTER, "get"], 2, "usage"),
        (["prove", "-o", "x.ntb"], 2, "usage"),
        (["prove", "--from", "examples", "-o", "x.ntb"], 6, "not-found"),
        (["prove", COUNTER, "get", "--view", "-o", "x.ntb"], 2, "usage"),
        (["prove", "--case", "README.md", "-o", "x.ntb"], 6, "bad-json"),
        (["prove", "--case", "README.md", "--gas", "1 Tgas", "-o", "x.ntb"], 2, "usage"),
        (["verify", "README.md"], 6, "not-a-bundle"),
        (["verify", "none.ntb"], 6, "not-found"),
        (["verify", COUNTER, "--require", "trusted"], 2, "usage"),
        (["verify", COUNTER, "--no-replay", "--require", "re-executed"], 2, "usage"),
        (["inspect", "README.md"], 6, "unknown-content"),
        (["state", "get", SNAPSHOT], 2, "usage"),
        (["state", "convert", SNAPSHOT, "/no/such/place"], 6, "write-failed"),
        (["state", "convert", SNAPSHOT, "README.md"], 6, "exists"),
    ],
)
def test_refusals(cli, arguments, code, word):
    refused(cli(*arguments), code, word)
    done = cli(*arguments, "--json")
    document = done.document
    assert (document["ok"], document["exit"], done.code) == (False, code, code)
    assert document["error"]["code"] == word
    assert not (PROJECT / "x.ntb").exists()


@pytest.mark.parametrize(
    "content", [b"", b"\0asm", b"no wasm at all", b"\0asm\1\0\0\0\xff", b"\0asm\2\0\0\0"],
    ids=["empty", "cut", "text", "section", "version"],
)  # fmt: skip
def test_wasm_that_is_none_fails_as_on_chain(cli, tmp_path, content):
    path = tmp_path / "bad.wasm"
    path.write_bytes(content)
    done = cli("run", path, "m", "--json")
    refused(done, 3, "contract-failed")
    result = done.document["result"]
    assert "CompilationError" in json.dumps(result["failure"])
    assert result["gas"]["burnt"] > 0
    assert cli("inspect", path).code == 6


def test_fifo_does_not_hang(cli, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for arguments in (["run", fifo, "m"], ["run", COUNTER, "get", "--state", fifo], ["verify", fifo], ["inspect", fifo],
                      ["run", COUNTER, "get", "--args-file", fifo], ["replay", fifo]):  # fmt: skip
        begun = time.monotonic()
        refused(cli(*arguments), 6, "not-a-file")
        assert time.monotonic() - begun < 5


def test_nothing_is_overwritten_without_force(cli, tmp_path):
    path = tmp_path / "s.json"
    path.write_text("mine")
    refused(cli("run", COUNTER, "increment", "--state-out", path), 6, "exists")
    assert path.read_text() == "mine"
    assert cli("run", COUNTER, "increment", "--state-out", path, "--force").code == 0
    assert json.loads(path.read_text())["schema"] == "near-tee/snapshot/v1"
    assert [entry.name for entry in tmp_path.iterdir()] == ["s.json"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_directory(cli, tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    refused(cli("run", COUNTER, "increment", "--state-out", tmp_path / "s.json"), 6, "write-failed")


def test_place_that_cannot_be_written(cli):
    refused(cli("run", COUNTER, "increment", "--state-out", "/proc/s.json"), 6, "write-failed")


def test_disk_that_is_full(home, tmp_path):
    """A limit on the size of files stands for a full disk: the write fails in the middle."""
    command = f"ulimit -f 16; exec {sys.executable} -m near_tee_cli state convert {SNAPSHOT} {tmp_path}/s.nts"
    done = subprocess.run(["bash", "-c", command], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 6
    assert done.stderr.startswith("error[write-failed]: ")
    assert list(tmp_path.iterdir()) == []


def test_missing_method_has_a_hint(cli):
    done = cli("run", COUNTER, "incremnt")
    refused(done, 3, "contract-failed")
    assert "did you mean increment?" in done.err


def test_wrong_root_of_a_snapshot(cli, tmp_path):
    document = json.loads((PROJECT / SNAPSHOT).read_text(encoding="utf-8"))
    document["state_root"] = "1" * 32
    path = tmp_path / "s.json"
    path.write_text(json.dumps(document))
    refused(cli("state", "root", path), 6, "state-root-mismatch")


def test_endless_view_ends_with_its_gas(cli):
    done = cli("run", LOOP, "forever", "--view", "--json")
    refused(done, 3, "contract-failed")
    assert "gas" in done.document["error"]["message"]


def test_terminal_gets_nothing_raw(cli):
    done = cli("run", "examples/contracts/status-message/status_message.wasm", "fail")
    again = cli("run", "examples/contracts/status-message/status_message.wasm", "new\x1b[31m\u202e")
    for out in (done.out, done.err, again.out, again.err):
        assert not {"\x1b", "\u202e"} & set(out)


def test_colour_on_request(cli):
    assert "\x1b[" in cli("run", COUNTER, "get", "--color", "always").out
    assert "\x1b[" in cli("run", COUNTER, "get", FORCE_COLOR="1").out
    assert "\x1b[" not in cli("run", COUNTER, "get", FORCE_COLOR="1", NO_COLOR="1").out
    assert "\x1b[" not in cli("run", COUNTER, "get", "--no-color", FORCE_COLOR="1").out


@pytest.mark.parametrize("json_flag", [[], ["--json"]])
def test_interruption_ends_a_running_contract_within_a_second(home, tmp_path, json_flag):
    # Enough gas for many seconds of looping.
    command = [sys.executable, "-m", "near_tee_cli", "run", LOOP, "forever", "--gas", "max", "--protocol-version", "86",
               "--out", str(tmp_path / "step"), *json_flag]  # fmt: skip
    slow = [*command, "--compiler", "winch"]
    environment = {**os.environ, "NEAR_TEE_HOME": str(home)}
    with subprocess.Popen(
        [sys.executable, "-c", BUSY, *slow[2:]],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr.readline() == b"busy\n"
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
        took = time.monotonic() - begun
    assert process.returncode == 130
    assert took < 1
    assert err.startswith(b"error[interrupted]: interrupted")
    if json_flag:
        assert json.loads(out)["exit"] == 130
    assert not (tmp_path / "step").exists()


# `near-tee` whose contracts may burn without limit, so that the loop lasts; says when it begins.
BUSY = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
import sys
from near_tee_cli.vm import engine_instance
from near_tee_cli.vm.gas import GasCounter
write_global = engine_instance.Instance.write_global
def unlimited(self, name, value):
    write_global(self, name, 2**62 if name == b"remaining_gas" else value)
    sys.stderr.write("busy\\n")
    sys.stderr.flush()
engine_instance.Instance.write_global = unlimited
sys.argv = ["near-tee", *sys.argv[2:]]
from near_tee_cli.cli import main
main()
"""


def test_unusable_cache_is_said_and_does_no_harm(tmp_path):
    home = tmp_path / "home"
    (home / "cache").mkdir(parents=True)
    (home / "cache").chmod(0o777)
    done = near_tee("run", COUNTER, "increment", home=home)
    assert done.code == 0
    assert done.err.startswith("warning: compiled code is not cached: ")
