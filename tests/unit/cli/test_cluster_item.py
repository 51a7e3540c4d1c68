"""An item of a cluster's batch in a process of its own, and what that process says when it cannot."""

import shutil

import pytest

from near_tee_cli.cli import cluster_item
from near_tee_cli.cli.batch_jobs import answered
from near_tee_cli.errors import HostError
from near_tee_cli.isolate.child import Death


@pytest.fixture
def item(tmp_path, monkeypatch, project):
    monkeypatch.setenv("NEAR_TEE_HOME", str(tmp_path / "home"))
    shutil.copy(project / "examples" / "wat" / "counter.wasm", tmp_path)
    values = {"contract_file": "counter.wasm", "method": "increment"}
    return {
        "values": values, "files": ["counter.wasm"], "base": str(tmp_path), "compiler": None, "milliseconds": 30_000,
    }  # fmt: skip


def test_an_item_is_proved(item) -> None:
    summary, bundle = answered("a", cluster_item.proved_apart(item))
    assert (summary["exit"], summary["contract_failure"]) == (0, None)
    assert bundle is not None


def test_deaths_and_refusals(item) -> None:
    slow = cluster_item.proved_apart({**item, "milliseconds": 1})
    assert isinstance(slow, Death)
    assert slow.code == "timeout"
    refused = cluster_item.proved_apart({**item, "values": {}})
    assert isinstance(refused, Death)
    assert refused.code == "usage"


def test_a_program_that_ends_without_an_answer() -> None:
    with pytest.raises(HostError) as caught:
        cluster_item.proved_apart({})
    assert caught.value.code == "child-crashed"
