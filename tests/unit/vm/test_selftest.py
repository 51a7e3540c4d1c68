import pytest

from near_tee_cli.errors import HostError
from near_tee_cli.params.store import config_at
from near_tee_cli.vm import engine_instance, selftest
from near_tee_cli.vm.engine import VALIDATING_OPTIONS, Engine
from near_tee_cli.vm.engine_instance import Trap
from near_tee_cli.vm.selftest import INVALID, KNOWN_GAS, PROBE, findings
from tests.support.selftest_module import PROBE_TEXT
from tests.support.wat import wat

CONFIG = config_at(86).vm


def failed():
    return {(finding.compiler, finding.check): finding.detail for finding in findings(CONFIG) if not finding.passed}


def test_the_installed_engine_passes():
    found = findings(CONFIG)
    assert [finding for finding in found if not finding.passed] == []
    assert {finding.compiler for finding in found} >= {None, "cranelift"}
    assert all(finding.detail for finding in found)


def test_the_module_is_what_its_text_says():
    binary = wat(PROBE_TEXT)
    assert binary[: binary.index(b"\x04name") - 2] == PROBE


@pytest.mark.parametrize(("what", "wasm"), INVALID)
def test_invalid_modules_are_valid_with_everything_on(what, wasm):
    engine = Engine()
    everything = engine._made(tuple((name, True) for name, value in VALIDATING_OPTIONS if name != "wasm_relaxed_simd"))
    code = bytes.fromhex(wasm)
    assert not engine._library.c.wasmtime_module_validate(everything, code, len(code))


class TestFailures:
    def test_no_library(self, monkeypatch):
        def missing():
            raise HostError("wasmtime is not installed")

        monkeypatch.setattr(selftest, "library", missing)
        (finding,) = findings(CONFIG)
        assert (finding.check, finding.passed, finding.detail) == ("library", False, "wasmtime is not installed")

    def test_a_trap_code_that_moved(self, monkeypatch):
        monkeypatch.setitem(engine_instance.TRAPS, 5, Trap.UNREACHABLE)
        assert set(failed()) == {("winch", "traps"), ("cranelift", "traps")}

    def test_a_trap_code_that_is_unknown(self, monkeypatch):
        monkeypatch.delitem(engine_instance.TRAPS, 4)
        assert "no contract can cause" in failed()["winch", "traps"]

    def test_other_gas(self, monkeypatch):
        what, wasm, gas = KNOWN_GAS[3]
        monkeypatch.setattr(selftest, "KNOWN_GAS", ((what, wasm, gas + 1),))
        assert failed() == {
            (name, "known gas"): f"{what} burns {gas} gas, not {gas + 1}" for name in ("winch", "cranelift")
        }

    def test_a_feature_that_is_not_refused(self, monkeypatch):
        monkeypatch.setattr(selftest, "INVALID", (("nothing", "0061736d01000000"),))
        assert failed() == {(None, "validation"): "nothing passes as valid"}

    @pytest.mark.parametrize(
        ("option", "value", "checks"),
        [
            ("cranelift_nan_canonicalization", False, {"NaN"}),
            ("max_wasm_stack", 1 << 20, {"stack"}),
        ],
    )
    def test_another_configuration(self, monkeypatch, option, value, checks):
        from near_tee_cli.vm import engine

        options = tuple((name, value if name == option else old) for name, old in engine.EXECUTING_OPTIONS)
        monkeypatch.setattr(engine, "EXECUTING_OPTIONS", options)
        assert {check for _, check in failed()} >= checks
