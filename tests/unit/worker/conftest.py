"""Children of test processes: pytest-xdist runs tests in a process that has threads of its own."""

import pytest

from near_tee_cli.isolate import child


@pytest.fixture(autouse=True)
def threads_are_the_test_runner_s(monkeypatch) -> None:
    """Let a test process fork although it has threads; they hold nothing that a child needs."""
    monkeypatch.setattr(child, "_require_one_thread", lambda: None)
