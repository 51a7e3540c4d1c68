"""`verify` with expectations, from flags and from a policy file, as a user types them."""

import pytest

from tests.support.cli import PROJECT, near_tee

COUNTER = PROJECT / "examples" / "wat" / "counter.wasm"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def proved(home, tmp_path_factory):
    """A directory with the bundle `a.ntb`, and its claim."""
    directory = tmp_path_factory.mktemp("proved")
    done = near_tee("prove", COUNTER, "increment", "--block-height", "50", "-o", "a.ntb", "--json", home=home,
                    cwd=directory)  # fmt: skip
    assert done.code == 0, done.err
    return directory, done.document["result"]["claim"]


@pytest.fixture
def verify(home, proved, tmp_path):
    """`verify` of the bundle, in a directory of its own with a policy file."""
    bundle = proved[0] / "a.ntb"

    def call(*flags, policy=None):
        if policy is not None:
            (tmp_path / "policy.toml").write_text(policy)
            flags = (*flags, "--policy", "policy.toml")
        return near_tee("verify", bundle, *flags, "--json", home=home, cwd=tmp_path)

    return call


def test_flags_that_fit(verify, proved) -> None:
    claim = proved[1]
    done = verify(
        "--contract", "contract.near", "--method", "increment", "--caller", "user.near", "--network", "localnet",
        "--audience", "", "--worker", "", "--protocol-version", "86", "--min-height", "50", "--max-height", "60",
        "--code-hash", claim["call"]["code_hash"], "--pre-root", claim["pre_root"], "--post-root", claim["post_root"],
        "--at", "70", "--max-age", "30",
    )  # fmt: skip
    assert done.code == 0, done.err
    result = done.document["result"]
    assert result["expected"] == {"policy_digest": None, "unconstrained": []}
    assert result["checks"][19]["result"] == "passed"


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (("--contract", "other.near"), "unexpected-contract"),
        (("--method", "decrement"), "unexpected-method"),
        (("--caller", "other.near"), "unexpected-caller"),
        (("--code-hash", "11" * 32), "unexpected-code"),
        (("--network", "mainnet"), "unexpected-network"),
        (("--min-height", "51"), "unexpected-height"),
        (("--at", f"49:{'11' * 32}"), "other-chain"),
        (("--at", "500", "--max-age", "10"), "too-old"),
        (("--at", "5", "--max-age", "10"), "from-the-future"),
    ],
)
def test_flags_that_do_not(verify, flags, code) -> None:
    done = verify(*flags)
    assert (done.code, done.document["error"]["code"]) == (4, code)


@pytest.mark.parametrize(
    "flags",
    [
        ("--pre-root", "abc"),
        ("--contract", "UPPER"),
        ("--at", "5:xyz"),
        ("--at", "-5"),
        ("--at", f"5:{'11' * 32}", "--at", f"5:{'22' * 32}"),
        ("--max-age", "old"),
        ("--min-height", "60", "--min-height", "5"),
        ("--policy", "a.toml", "--policy", "b.toml"),
        ("--threshold", "2", "--threshold=1", "--signer", "x"),
        ("--min-height", "5", "--max-height", "4"),
    ],
)
def test_flags_that_make_no_sense(verify, flags) -> None:
    assert verify(*flags).code == 2


def test_nothing_to_compare_is_not_passed(verify, tmp_path) -> None:
    (tmp_path / "anchors").write_text("# nobody knows a block\n")
    for flags in (("--at", "100"), ("--at", f"999:{'11' * 32}"), ("--anchors", "anchors")):
        check = verify(*flags).document["result"]["checks"][19]
        assert (check["result"], check["detail"][:32]) == ("not-made", "nothing is expected of the claim")
    assert "999" in verify("--at", f"999:{'11' * 32}").document["result"]["checks"][19]["detail"]
    check = verify(policy='version = 1\nrequire = ["consistent"]\n').document["result"]["checks"][19]
    assert check["result"] == "not-made"


def test_an_age_needs_a_known_block(verify, tmp_path) -> None:
    done = verify("--max-age", "10")
    assert (done.code, done.document["error"]["code"]) == (5, "no-anchor")
    (tmp_path / "anchors").write_text("# known\n55\n")
    assert verify("--max-age", "10", "--anchors", "anchors").code == 0
    (tmp_path / "anchors").write_text("fifty\n")
    assert verify("--max-age", "10", "--anchors", "anchors").code == 6


def test_a_policy_and_flags_are_both_demanded(verify) -> None:
    policy = 'version = 1\n[claim]\ncontract = "contract.near"\n'
    done = verify(policy=policy)
    assert done.code == 0, done.err
    assert done.document["result"]["expected"]["policy_digest"].startswith("sha256:")
    assert "contract" not in done.document["result"]["expected"]["unconstrained"]
    assert verify("--method", "decrement", policy=policy).code == 4
    assert verify("--contract", "other.near", policy=policy).code == 4
    assert verify(policy='version = 1\n[claim]\nmethod = "decrement"\n').code == 4


def test_what_a_policy_requires(verify) -> None:
    quick = verify(policy='version = 1\nrequire = ["consistent"]\n')
    assert quick.document["result"]["required"] == ["consistent"]
    both = verify("--require", "re-executed", policy='version = 1\nrequire = ["consistent"]\n')
    assert both.document["result"]["required"] == ["consistent", "re-executed"]
    assert verify("--no-replay", policy='version = 1\nrequire = ["re-executed"]\n').code == 2
    limited = verify(policy='version = 1\n[claim]\nmethod = "increment"\n[limits]\nmax_gas = 5\n')
    assert (limited.code, limited.document["error"]["code"]) == (5, "too-expensive")


def test_a_policy_that_cannot_be_used(verify) -> None:
    assert verify(policy="version = 1").document["error"]["code"] == "empty-policy"
    done = verify(policy="version = 1\nnetwork = 'mainnet'")
    assert (done.code, done.document["error"]["code"], done.document["error"]["where"]) == (6, "bad-policy", "network")
    assert verify("--policy", "nowhere.toml").code == 6


def test_for_people(home, proved) -> None:
    text = near_tee("verify", proved[0] / "a.ntb", "--method", "increment", home=home).out
    assert "20 expectations   the claim is about what was expected" in text
    assert "nothing is expected of network, audience" in text


def test_executing_again_takes_no_longer_than_allowed(home, tmp_path) -> None:
    loop = PROJECT / "examples" / "wat" / "loop.wasm"
    done = near_tee("prove", loop, "forever", "--gas", "max", "-o", "loop.ntb", home=home, cwd=tmp_path)
    assert done.code == 0, done.err
    for flags, code in ((("--time-limit", "0.02"), "too-expensive"), (("--max-gas", "1 Tgas"), "too-expensive")):
        done = near_tee("verify", "loop.ntb", *flags, "--json", home=home, cwd=tmp_path)
        assert (done.code, done.document["error"]["code"]) == (5, code)
    policy = 'version = 1\nrequire = ["re-executed"]\n[limits]\ntime_limit = 0.02\n'
    (tmp_path / "policy.toml").write_text(policy)
    assert near_tee("verify", "loop.ntb", "--policy", "policy.toml", home=home, cwd=tmp_path).code == 5
    assert near_tee("verify", "loop.ntb", home=home, cwd=tmp_path).code == 0


@pytest.mark.parametrize("text", ["0", "-1", "1e3", "soon", "1.", ".5", "86401", "0.0"])
def test_times_that_make_no_sense(verify, text) -> None:
    assert verify("--time-limit", text).code == 2
