import _thread
import signal
import subprocess
import sys
import time

import pytest

from near_tee_cli.errors import HostError
from near_tee_cli.vm.engine_thread import INTERRUPTED_STATUS, ContractThread, contract_thread, on_contract_thread

LOOPING = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
import sys
from near_tee_cli.vm.engine import Engine, HostFunction
from near_tee_cli.vm.engine_thread import on_contract_thread
from tests.support.engine_modules import instance_of
imported = '(import "env" "f" (func $f (param i64) (result i64)))'
body = '''(func (export "wasm") (loop br 0))
  (func (export "host") (loop (drop (call $f (i64.const 0))) br 0))'''
function = HostFunction("env", "f", "q", "q", lambda _env, _caller, _slots: 0)
instance = instance_of(Engine(), body, imported, (function,))
print("running", flush=True)
try:
    on_contract_thread(lambda: instance.call(sys.argv[1].encode()))
except KeyboardInterrupt:
    try:
        on_contract_thread(lambda: None)
    except Exception as error:
        print(error.code)
    print("interrupted")
    if sys.argv[2:]:
        raise SystemExit(3)
"""


class TestRun:
    def test_results_come_back(self):
        assert on_contract_thread(lambda: [1, 2]) == [1, 2]
        assert on_contract_thread(lambda: None) is None

    def test_it_is_one_other_thread(self):
        first, second = on_contract_thread(_thread.get_ident), on_contract_thread(_thread.get_ident)
        assert first == second != _thread.get_ident()
        assert contract_thread() is contract_thread()

    def test_nested_calls_are_direct(self):
        def outer():
            return _thread.get_ident(), on_contract_thread(_thread.get_ident)

        inside, nested = on_contract_thread(outer)
        assert inside == nested

    @pytest.mark.parametrize("error", [ValueError("one"), HostError("two"), KeyboardInterrupt(), SystemExit(3)])
    def test_exceptions_come_back_and_the_thread_goes_on(self, error):
        def fail():
            raise error

        with pytest.raises(type(error)) as caught:
            on_contract_thread(fail)
        assert caught.value is error
        assert on_contract_thread(lambda: 5) == 5

    def test_callers_take_turns(self):
        own, running, most = ContractThread(), [0], [0]

        def work():
            running[0] += 1
            most[0] = max(most[0], running[0])
            time.sleep(0.001)
            running[0] -= 1

        finished = [_thread.allocate_lock() for _ in range(8)]

        def caller(lock):
            for _ in range(5):
                own.run(work)
            lock.release()

        for lock in finished:
            lock.acquire()
            _thread.start_new_thread(caller, (lock,))
        assert all(lock.acquire(timeout=30) for lock in finished)
        assert most == [1]

    def test_modules_that_are_first_imported_on_it_do_not_hold_up_the_end(self, project):
        script = """if True:
            import sys
            from near_tee_cli.vm.engine_thread import on_contract_thread
            on_contract_thread(lambda: __import__("concurrent.futures.thread"))
            print(sys.modules["threading"].main_thread().ident == sys.modules["threading"].get_ident())
        """
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=True, timeout=20
        )
        assert done.stdout == "True\n"

    def test_the_stack_size_of_other_threads_is_left_alone(self):
        before = _thread.stack_size()
        ContractThread()
        assert _thread.stack_size() == before


@pytest.mark.parametrize("loop", ["wasm", "host"])
@pytest.mark.parametrize("exits", [[], ["exits"]])
def test_interruption_ends_a_looping_contract(loop, exits, project):
    process = subprocess.Popen(
        [sys.executable, "-c", LOOPING, loop, *exits],
        cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "running\n"
    time.sleep(0.2)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - began < 1
    assert out == "host-interrupted\ninterrupted\n"
    assert err == ""
    assert process.returncode == INTERRUPTED_STATUS
