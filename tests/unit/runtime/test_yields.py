"""Yields: created, resumed, timed out, with ids of one's own."""

from near_tee_cli.primitives.schema.action import FunctionCall
from near_tee_cli.runtime.world import World
from near_tee_cli.state import keys
from tests.support.worlds import PythonMachine, account, block, transact, world

GAS = 10**13


class Yielding:
    """A contract that yields once and remembers what its callback was given."""

    def __init__(self, *, yield_id: bytes | None = None) -> None:
        self.yield_id = yield_id
        self.data_id = b""
        self.resumed: list[bool] = []
        self.results: list[object] = []
        self.machine = PythonMachine(wait=self.wait, resume=self.resume, callback=self.callback)

    def wait(self, context, external):
        if self.yield_id is None:
            created = external.create_promise_yield_receipt("a.near")
        else:
            created = external.create_promise_yield_receipt_with_id("a.near", self.yield_id)
            assert external.create_promise_yield_receipt_with_id("a.near", self.yield_id) is None
        index, self.data_id = created
        external.append_function_call(index, FunctionCall("callback", b"", GAS, 0), gas_weight=0)
        return {"return_data": index, "used_gas": 2 * GAS}

    def resume(self, context, external):
        if self.yield_id is None:
            self.resumed.append(external.submit_promise_resume_data(self.data_id, b"data"))
        else:
            self.resumed.append(external.submit_promise_resume_data_with_yield_id(self.yield_id, b"data"))

    def callback(self, context, external):
        self.results.append(context.promise_results)


def yield_rows(state: World) -> list[bytes]:
    return [key for column in (10, 11, 12, 20, 22, 23) for key, _ in state.rows(bytes([column]))]


def start(contract: Yielding, **more) -> World:
    state = world(account("a.near", code=b"code"), **more)
    wait = transact("a.near", "a.near", FunctionCall("wait", b"", 5 * GAS, 0))
    state.produce_block(block(1), transactions=[wait], machine=contract.machine)
    return state


def resume(contract: Yielding, state: World, height: int, nonce: int = 2) -> None:
    call = transact("a.near", "a.near", FunctionCall("resume", b"", GAS, 0), nonce=nonce)
    state.produce_block(block(height), transactions=[call], machine=contract.machine)


def test_a_resume_runs_the_callback_in_the_next_chunk() -> None:
    contract = Yielding()
    state = start(contract)
    assert yield_rows(state) == [
        keys.promise_yield_indices(),
        keys.promise_yield_timeout(0),
        keys.promise_yield_receipt("a.near", contract.data_id),
        keys.promise_yield_status("a.near", contract.data_id),
    ]
    resume(contract, state, 2)
    assert contract.resumed == [True]
    assert contract.results == []
    state.produce_block(block(3), machine=contract.machine)
    assert contract.results == [(b"data",)]
    assert yield_rows(state) == [keys.promise_yield_indices(), keys.promise_yield_timeout(0)]
    resume(contract, state, 4, nonce=3)
    assert contract.resumed == [True, False]


def test_a_timeout_gives_a_failed_result() -> None:
    contract = Yielding()
    state = start(contract)
    assert state.produce_block(block(200), machine=contract.machine).result.yield_timeouts == ()
    transition = state.produce_block(block(201), machine=contract.machine)
    assert [timeout.expires_at for timeout in transition.result.yield_timeouts] == [201]
    assert contract.results == []
    state.produce_block(block(202), machine=contract.machine)
    assert contract.results == [(None,)]
    assert yield_rows(state) == [keys.promise_yield_indices()]


def test_a_timeout_whose_block_was_skipped_comes_with_the_next_one() -> None:
    contract = Yielding()
    state = start(contract)
    transition = state.produce_block(block(230), machine=contract.machine)
    assert [timeout.expires_at for timeout in transition.result.yield_timeouts] == [201]
    state.produce_block(block(231), machine=contract.machine)
    assert contract.results == [(None,)]


def test_nobody_times_out_while_the_chunk_is_full() -> None:
    contract = Yielding()
    state = start(contract)
    full = state.produce_block(block(201, gas_limit=0), machine=contract.machine)
    assert full.result.yield_timeouts == ()
    later = state.produce_block(block(202), machine=contract.machine)
    assert len(later.result.yield_timeouts) == 1


def test_a_resume_in_the_chunk_of_the_timeout_wins() -> None:
    contract = Yielding()
    state = start(contract)
    resume(contract, state, 201)
    assert len(state.in_flight) >= 2
    state.produce_block(block(202), machine=contract.machine)
    assert contract.results == [(b"data",)]


def test_an_id_of_ones_own() -> None:
    contract = Yielding(yield_id=b"\7" * 32)
    state = start(contract)
    assert keys.yield_id_to_data_id("a.near", b"\7" * 32) in yield_rows(state)
    resume(contract, state, 2)
    state.produce_block(block(3), machine=contract.machine)
    assert contract.results == [(b"data",)]
    assert yield_rows(state) == [keys.promise_yield_indices(), keys.promise_yield_timeout(0)]
    resume(contract, state, 4, nonce=3)
    assert contract.resumed == [True, False]


def test_nothing_remains_of_a_yield_in_a_receipt_that_fails() -> None:
    contract = Yielding()
    state = world(account("a.near", code=b"code"))
    missing = FunctionCall("nothing", b"", GAS, 0)
    actions = (FunctionCall("wait", b"", 5 * GAS, 0), missing)

    def fail(context, external):
        from near_tee_cli.vm.outcome import MethodResolveError

        return {"aborted": MethodResolveError.NOT_FOUND}

    contract.machine.methods["nothing"] = fail
    state.produce_block(block(1), transactions=[transact("a.near", "a.near", *actions)], machine=contract.machine)
    assert yield_rows(state) == []
