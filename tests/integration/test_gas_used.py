"""Gas that a call used: what it burnt and what left with its receipts, as the machine itself counted it."""

import pytest

from near_tee_cli.cli.call import asked
from near_tee_cli.cli.commands.run import LINE
from near_tee_cli.cli.execution import execute
from near_tee_cli.cli.parser import parse
from near_tee_cli.cli.results import run_result
from near_tee_cli.cli.start import start
from near_tee_cli.vm.engine import Engine
from near_tee_cli.vm.runner import VirtualMachine


class Listening:
    """A machine that remembers what each call came to."""

    def __init__(self):
        self.machine = VirtualMachine(Engine())
        self.outcomes = []

    def run(self, *arguments, **how):
        outcome = self.machine.run(*arguments, **how)
        self.outcomes.append(outcome)
        return outcome


@pytest.mark.parametrize(
    ("contract", "method"),
    [("wat/promise.wasm", "ask"), ("wat/promise.wasm", "give"), ("wat/counter.wasm", "increment")],
)
def test_used_gas(project, contract, method):
    wanted = asked(parse(LINE, [str(project / "examples" / contract), method]))
    begin = start(wanted)
    machine = Listening()
    execution = execute(begin, wanted.call, machine)
    gas = run_result(wanted, begin, execution)["gas"]
    first = machine.outcomes[0]
    assert gas["used"] - gas["burnt"] == first.used_gas - first.burnt_gas
    assert (gas["used"] == gas["burnt"]) == (method == "increment")
