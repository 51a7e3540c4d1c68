"""`state init`, `set`, `import`, `export`, `merge`, `diff` as a user types them."""

import json
import re

import pytest

from near_tee_cli.cli import exit_codes
from tests.support import answers
from tests.support.cli import near_tee

COUNTER = "examples/wat/counter.wasm"
PROMISE = "examples/wat/promise.wasm"
KEY = answers.KEY


@pytest.fixture
def tool(tmp_path):
    def run(*arguments, **more):
        return near_tee(*arguments, home=tmp_path / "home", **more)

    return run


@pytest.fixture
def world(tool, tmp_path):
    path = tmp_path / "world.json"
    made = tool(
        "state", "init", "-o", path, "--account", "alice.near=10 NEAR", "--with", f"counter.near={COUNTER}", "--with",
        f"contract.near={PROMISE}", "--add-key", f"alice.near={KEY}", "--block-height", "50", "--block-timestamp",
        "2026-01-31T12:00:00Z",
    )  # fmt: skip
    assert made.code == 0, made.err
    return path


def accounts(tool, path):
    shown = tool("state", "show", path, "--json").document["result"]
    return {account["account_id"]: account for account in shown["accounts"]}


def test_world_from_nothing_is_executed(tool, world, tmp_path):
    found = accounts(tool, world)
    assert (found["alice.near"]["amount"], found["alice.near"]["storage_usage"]) == (str(10**25), 182)
    assert found["counter.near"]["storage_usage"] == 100 + found["counter.near"]["code_size"]
    ran = tool("run", PROMISE, "ask", "--state", world, "--signer", "alice.near", "--json")
    assert ran.code == 0, ran.err
    result = ran.document["result"]
    assert result["status"] == "success"
    assert result["call"]["block_height"] == 51
    assert {receipt["receiver_id"] for receipt in result["receipts"]} >= {"counter.near", "contract.near"}


def test_what_a_contract_writes_can_be_set_by_hand(tool, tmp_path):
    """The state that a call leaves, made by hand: the same rows, storage included."""
    for name, flags in (("before", ()), ("after", ("--data", "counter.near:count=hex:0100000000000000"))):
        made = tool("state", "init", "-o", tmp_path / f"{name}.json", "--with", f"counter.near={COUNTER}", *flags)
        assert made.code == 0, made.err
    ran = tool(
        "run", COUNTER, "increment", "--contract", "counter.near", "--state", tmp_path / "before.json", "--state-out",
        tmp_path / "ran.json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    found, wanted = accounts(tool, tmp_path / "ran.json"), accounts(tool, tmp_path / "after.json")
    assert found["counter.near"]["storage_usage"] == wanted["counter.near"]["storage_usage"]
    rows = [
        tool("state", "get", tmp_path / f"{name}.json", "counter.near", "count", "--json").document["result"]["value"]
        for name in ("ran", "after")
    ]
    assert rows[0] == rows[1]


def test_with_and_account_on_every_command_that_calls(tool, tmp_path):
    more = ("--with", f"counter.near={COUNTER}", "--account", "dave.near=2 NEAR")
    for command in (("run",), ("prove", "-o", tmp_path / "b.ntb"), ("yield", "-o", tmp_path / "s")):
        ran = tool(command[0], PROMISE, "ask", *more, *command[1:], "--json").document
        result = ran["result"]["run"] if command[0] == "prove" else ran["result"]
        assert result["status"] == "success", command
        about = result["call"]
        assert about["accounts"] == {"dave.near": str(2 * 10**24)}
        assert list(about["contracts"]) == ["counter.near"]
        assert sorted(about["made"]) == ["contract.near", "counter.near", "dave.near", "user.near"]
        assert not {"accounts", "contracts"} & set(about["defaults"])
    assert tool("verify", tmp_path / "b.ntb").code == 0
    viewed = tool("run", COUNTER, "get", "--view", *more, "--contract", "x.near", "--json").document["result"]
    assert list(viewed["call"]["contracts"]) == ["counter.near"]
    refused = tool("prove", "--case", "x", "-o", tmp_path / "c.ntb", *more)
    assert (refused.code, "belongs to a call" in refused.err) == (exit_codes.USAGE, True)


def test_without_the_other_contract_the_call_fails(tool):
    ran = tool("run", PROMISE, "ask", "--json").document["result"]
    assert any(receipt["state"] == "failure" for receipt in ran["receipts"])


def test_set_says_what_it_changes_and_diff_finds_it(tool, world, tmp_path):
    changed = tmp_path / "changed.json"
    flags = ("--account", "alice.near=11 NEAR", "--data", "counter.near:count=x", "--remove-key", f"alice.near={KEY}")
    made = tool("state", "set", world, "-o", changed, *flags, "--json").document["result"]
    assert len(made["said"]) == 3
    assert any("11 NEAR instead of 10 NEAR" in sentence for sentence in made["said"])
    found = tool("state", "diff", world, changed, "--json")
    assert found.code == exit_codes.DIVERGED
    assert found.document["error"]["code"] == "diverged"
    result = found.document["result"]
    assert result["accounts"] == {
        "alice.near": {"Account changed": 1, "AccessKey removed": 1},
        "counter.near": {"Account changed": 1, "ContractData added": 1},
    }
    assert result["chain"] == {}
    back = tmp_path / "back.json"
    undone = tool(
        "state", "set", changed, "-o", back, "--account", "alice.near=10 NEAR", "--remove-data", "counter.near:count",
        "--add-key", f"alice.near={KEY}",
    )  # fmt: skip
    assert undone.code == 0, undone.err
    assert tool("state", "diff", world, back).code == 0
    assert world.read_bytes() == back.read_bytes()


def test_set_changes_the_chain(tool, world, tmp_path):
    changed = tmp_path / "changed.nts"
    flags = ("--chain-id", "mainnet", "--protocol-version", "85", "--block-height", "60", "--validators", "v.near=5")
    assert tool("state", "set", world, "-o", changed, *flags).code == 0
    chain = tool("state", "diff", world, changed, "--json").document["result"]["chain"]
    assert sorted(chain) == ["block", "chain_id", "protocol_version", "validators"]


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (("--data", "nobody.near:k=v"), "unknown-account"),
        (("--remove-data", "counter.near:k"), "unknown-row"),
        (("--remove-account", "nobody.near"), "unknown-account"),
        (("--locked", "nobody.near=1 NEAR"), "unknown-account"),
        (("--remove-code", "alice.near"), "unknown-row"),
        (("--data", "k=v"), "usage"),
        (("--protocol-version", "70"), "unsupported-protocol-version"),
    ],
)
def test_edits_that_cannot_be(tool, world, tmp_path, flags, code):
    done = tool("state", "set", world, "-o", tmp_path / "x.json", *flags, "--json")
    assert done.document["error"]["code"] == code
    assert not (tmp_path / "x.json").exists()


@pytest.fixture
def saved(tmp_path):
    """Answers of a node as files."""
    bodies = {
        "account": answers.view_account(),
        "code": answers.view_code(),
        "state": answers.view_state(),
        "keys": answers.view_access_key_list(),
    }
    for name, body in bodies.items():
        (tmp_path / f"{name}.json").write_bytes(answers.answer(body))
    return [tmp_path / f"{name}.json" for name in bodies]


def test_import_of_answers(tool, saved, tmp_path):
    out = tmp_path / "out.json"
    done = tool("state", "import", *saved, "--account-id", answers.ACCOUNT, "-o", out, "--json")
    assert done.code == 0, done.err
    result = done.document["result"]
    assert [one["shape"] for one in result["detected"]] == [
        "view-account", "view-code", "view-state", "view-access-key-list",
    ]  # fmt: skip
    assert result["block_height"] == 100
    assert any("only the height is known" in warning for warning in done.document["warnings"])
    found = accounts(tool, out)[answers.ACCOUNT]
    assert (found["storage_usage"], found["keys"], found["data_rows"]) == (answers.USAGE, 1, 2)


def test_import_of_answers_with_their_block_and_time(tool, saved, tmp_path):
    out = tmp_path / "out.json"
    flags = ("--block-timestamp", "77", "--epoch-height", "3")
    named = [f"{answers.ACCOUNT}={path}" for path in saved]
    assert tool("state", "import", *named, "-o", out, *flags).code == 0
    block = tool("state", "show", out, "--json").document["result"]["block"]
    assert (block["height"], block["timestamp"], block["epoch_height"]) == (100, 77, 3)


def test_import_onto_a_state(tool, world, saved, tmp_path):
    patch = {"records": [{"Data": {"account_id": "counter.near", "data_key": "eHg=", "value": "MQ=="}}]}
    (tmp_path / "patch.json").write_text(json.dumps(patch))
    out = tmp_path / "out.json"
    done = tool("state", "import", tmp_path / "patch.json", "--onto", world, "-o", out)
    assert done.code == 0, done.err
    changes = tool("state", "diff", world, out, "--json").document["result"]
    assert changes["accounts"] == {"counter.near": {"ContractData added": 1}}
    whole = tmp_path / "whole.json"
    named = [f"{answers.ACCOUNT}={path}" for path in saved]
    assert tool("state", "import", *named, "--onto", out, "-o", whole).code == 0
    found = accounts(tool, whole)[answers.ACCOUNT]
    assert (found["data_rows"], found["storage_usage"]) == (2, answers.USAGE)


def test_genesis_is_put_onto_nothing(tool, world, tmp_path):
    (tmp_path / "genesis.json").write_text('{"chain_id":"x","protocol_version":86,"records":[]}')
    done = tool("state", "import", tmp_path / "genesis.json", "--onto", world, "-o", tmp_path / "x.json", "--json")
    assert (done.code, done.document["error"]["code"]) == (exit_codes.BAD_INPUT, "contradiction")


def test_mainnet_genesis(tool, project, tmp_path):
    import gzip

    data = gzip.decompress((project / "tests/unit/state/data/mainnet_genesis.json.gz").read_bytes())
    done = tool("state", "import", "-", "-o", tmp_path / "mainnet.nts", "--json", stdin=data)
    assert done.code == 0, done.err
    result = done.document["result"]
    assert result["state_root"] == "8EhZRfDTYujfZoUZtZ3eSMB9gJyFo5zjscR12dEcaxGU"
    assert [one["account_id"] for one in result["recounted"]] == ["kendall.near", "near", "patrick.near"]
    assert any("protocol version 29" in warning for warning in done.document["warnings"])


@pytest.mark.parametrize(
    ("document", "flags", "code"),
    [
        (answers.view_account(), (), "account-needed"),
        (answers.view_account(), ("--account-id", "a.near"), "incomplete-account"),
        (
            answers.view_state(last_key="YmI="),
            ("--account-id", "a.near", "--account", "a.near=1 N"),
            "incomplete-state",
        ),
        ({"jsonrpc": "2.0", "error": {"cause": {"name": "UNKNOWN_ACCOUNT"}}}, (), "rpc-error"),
        ({"what": 1}, (), "not-recognised"),
        ({"schema": "near-tee/snapshot/v1"}, (), "not-foreign"),
        ([{"Yield": {}}], (), "bad-field"),
    ],
)
def test_files_that_are_refused(tool, tmp_path, document, flags, code):
    (tmp_path / "in.json").write_text(json.dumps(document))
    done = tool("state", "import", tmp_path / "in.json", *flags, "-o", tmp_path / "out.json", "--json")
    assert (done.code, done.document["error"]["code"]) == (exit_codes.BAD_INPUT, code)
    assert not (tmp_path / "out.json").exists()
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 50, b"[" * 100_000, b'{"values":' + b"[" * 70 + b"]" * 70 + b"}", b'{"a":1e400}']
)
def test_hostile_files(tool, tmp_path, data):
    done = tool("state", "import", "-", "-o", tmp_path / "out.json", "--json", stdin=data)
    assert done.code == exit_codes.BAD_INPUT
    assert "Traceback" not in done.err


@pytest.mark.parametrize("form", ["genesis-records", "sandbox-patch-state"])
def test_export_and_import_again(tool, world, tmp_path, form):
    out, back = tmp_path / "export.json", tmp_path / "back.json"
    exported = tool("state", "export", world, "--as", form, "-o", out, "--json")
    assert exported.code == 0, exported.err
    assert exported.document["result"]["left_out"] == {"last block": 1}
    assert exported.document["warnings"] == [f"{form} cannot hold 1 last block"]
    assert tool("state", "import", out, "-o", back).code == 0
    found = tool("state", "diff", world, back, "--json").document["result"]
    assert (found["changes"], list(found["chain"])) == ([], ["block"])


def test_export_of_answers_and_import_again(tool, world, tmp_path):
    forms = ("view-account", "view-code", "view-state", "view-access-key-list")
    for form in forms:
        done = tool("state", "export", world, "--as", form, "--account", "counter.near", "-o", tmp_path / form)
        assert done.code == 0, done.err
    back, only = tmp_path / "back.json", tmp_path / "only.json"
    named = [f"counter.near={tmp_path / form}" for form in forms]
    assert tool("state", "import", *named, "-o", back).code == 0
    removed = ("--remove-account", "alice.near", "--remove-account", "contract.near")
    assert tool("state", "set", world, "-o", only, *removed).code == 0
    assert tool("state", "diff", only, back, "--json").document["result"]["changes"] == []


def test_export_to_standard_output(tool, world):
    done = tool("state", "export", world, "--as", "view-state", "--account", "counter.near")
    assert json.loads(done.out) == {"values": []}
    refused = tool("state", "export", world, "--as", "view-state", "--account", "counter.near", "--json")
    assert refused.code == exit_codes.USAGE
    assert tool("state", "export", world, "--as", "nothing").code == exit_codes.USAGE


def test_merge(tool, world, tmp_path):
    other, out = tmp_path / "other.json", tmp_path / "merged.json"
    assert tool("state", "init", "-o", other, "--account", "bob.near=3 NEAR").code == 0
    done = tool("state", "merge", world, other, "-o", out, "--json")
    assert done.code == 0, done.err
    assert done.document["result"]["conflicts"] == []
    assert done.document["result"]["accounts_from"] == {"both": 0, "first": 3, "second": 1}
    assert sorted(accounts(tool, out)) == ["alice.near", "bob.near", "contract.near", "counter.near"]
    assert tool("state", "set", world, "-o", other, "--force", "--account", "alice.near=1 NEAR").code == 0
    refused = tool("state", "merge", world, other, "-o", out, "--force", "--json")
    assert (refused.code, refused.document["error"]["code"]) == (exit_codes.BAD_INPUT, "conflict")
    assert tool("state", "merge", world, other, "-o", out, "--force", "--prefer", "second").code == 0
    assert out.read_bytes() == other.read_bytes()


def test_states_behind_steps(tool, tmp_path):
    """What waits for a yield merges with other accounts and is resumed all the same."""
    step, other, out = tmp_path / "step", tmp_path / "other.json", tmp_path / "merged.json"
    assert tool("yield", "examples/wat/yield.wasm", "ask", "--out", step).code == 0
    assert tool("state", "init", "-o", other, "--account", "bob.near=3 NEAR").code == 0
    merged = tool("state", "merge", step, other, "-o", out)
    assert merged.code == 0, merged.err
    waiting = tool("yields", out, "--json").document["result"]["yields"]
    assert [one["status"] for one in waiting] == ["pending"]
    assert tool("resume", out, "--timeout", "--out", tmp_path / "next").code in (0, exit_codes.CONTRACT_FAILED)


def test_nothing_is_overwritten(tool, world):
    before = world.read_bytes()
    done = tool("state", "init", "-o", world, "--json")
    assert (done.code, done.document["error"]["code"]) == (exit_codes.BAD_INPUT, "exists")
    assert world.read_bytes() == before


def test_standard_output_and_input(tool, tmp_path):
    made = tool("state", "init", "-o", "-", "--account", "a.near=1 NEAR")
    shown = tool("state", "root", "-", stdin=made.out.encode())
    assert shown.code == 0
    assert tool("state", "diff", "-", "-").code == exit_codes.USAGE


def test_directories(tool, world, tmp_path):
    """A large state's directory is made, changed, exported, compared and merged like any other snapshot."""
    large, changed, small = tmp_path / "large.lmdb", tmp_path / "changed.lmdb", tmp_path / "changed.json"
    edits = ("--data", "counter.near:count=x", "--remove-account", "alice.near", "--account", "new.near=1 NEAR")
    assert tool("state", "set", world, "-o", large).code == 0
    assert tool("state", "diff", world, large).code == 0
    assert tool("state", "set", large, "-o", changed, *edits).code == 0
    assert tool("state", "set", world, "-o", small, *edits).code == 0
    assert tool("state", "diff", small, changed).code == 0
    assert tool("state", "diff", large, changed).code == exit_codes.DIVERGED
    exports = [tool("state", "export", path, "--as", "sandbox-patch-state").out for path in (small, changed)]
    assert exports[0] == exports[1] != ""
    merged = tool("state", "merge", changed, world, "--prefer", "first", "-o", tmp_path / "merged.lmdb", "--json")
    assert merged.code == 0, merged.err
    assert merged.document["result"]["form"] == "lmdb"


def test_states_of_other_tools_are_recognised_where_a_snapshot_is_wanted(tool, saved):
    done = tool("run", COUNTER, "get", "--state", saved[2], "--json")
    error = done.document["error"]
    assert (done.code, error["code"]) == (exit_codes.BAD_INPUT, "not-a-snapshot")
    assert "view-state" in error["message"]
    assert "state import" in error["hint"]


def test_json_document_names_every_member(tool, world, saved, tmp_path, project):
    text = (project / "docs" / "json.md").read_text(encoding="utf-8")
    rows = {name: row for names, row in re.findall(r"^\| ((?:`[a-z]+`(?:, )?)+) \| (.*) \|$", text, re.MULTILINE)
            for name in re.findall(r"[a-z]+", names)}  # fmt: skip
    made = set(re.findall(r"`([a-z_]+)`", rows["init"]))
    named = [f"{answers.ACCOUNT}={path}" for path in saved]
    for words, more in (
        (("init", "-o", tmp_path / "1.json"), set()),
        (("set", world, "-o", tmp_path / "2.json"), set()),
        (("import", *named, "-o", tmp_path / "3.json"), {"detected", "recounted"}),
        (("merge", world, world, "-o", tmp_path / "4.json"), {"conflicts", "accounts_from"}),
    ):
        members = set(tool("state", *words, "--json").document["result"])
        assert members == made | more, words[0]
        assert all(f"`{member}`" in rows[words[0]] for member in more)
    exported = tool("state", "export", world, "--as", "genesis-records", "-o", tmp_path / "5.json", "--json")
    assert set(exported.document["result"]) == set(re.findall(r"`([a-z_]+)`", rows["export"]))
    compared = tool("state", "diff", world, world, "--json").document["result"]
    assert set(compared) <= set(re.findall(r"`([a-z_]+)`", rows["diff"]))
