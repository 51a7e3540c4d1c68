"""Instructions on floats as the older kind of VM executed them, written in instructions that are the same everywhere.

Each takes its operand from the stack into a local, asks whether it equals itself, and treats what does not, a NaN, by
its bits.

Mirrors nearcore: runtime/near-vm/compiler-singlepass/src/codegen_x64.rs
"""

from near_tee_cli.vm.analysis.changes import DEMOTE, NEGATE_4, NEGATE_8, PROMOTE
from near_tee_cli.vm.wasm import leb128

_LOCAL_GET, _LOCAL_SET = b"\x20", b"\x21"
_IF, _ELSE, _END = b"\x04", b"\x05", b"\x0b"
_F32, _F64 = b"\x7d", b"\x7c"
_F32_EQ, _F64_EQ = b"\x5b", b"\x61"
_F32_NEG, _F64_NEG = b"\x8c", b"\x9a"
_I32_REINTERPRET, _I64_REINTERPRET, _F32_REINTERPRET, _F64_REINTERPRET = b"\xbc", b"\xbd", b"\xbe", b"\xbf"
_I32_AND, _I32_OR, _I64_AND, _I64_OR, _I64_SHL, _I64_SHR_U = b"\x71", b"\x72", b"\x83", b"\x84", b"\x86", b"\x88"
_I32_WRAP, _I64_EXTEND_U = b"\xa7", b"\xad"
_PROMOTE, _DEMOTE = b"\xbb", b"\xb6"

_CANONICAL_4 = b"\x43" + (0x7FC0_0000).to_bytes(4, "little")
_CANONICAL_8 = b"\x44" + (0x7FF8_0000_0000_0000).to_bytes(8, "little")


def _i32(value: int) -> bytes:
    return b"\x41" + leb128.signed(value - (1 << 32) if value >> 31 else value)


def _i64(value: int) -> bytes:
    return b"\x42" + leb128.signed(value - (1 << 64) if value >> 63 else value)


_PROMOTED_BITS = b"".join(
    (
        *(_I32_REINTERPRET, _I64_EXTEND_U, _i64(0x8000_0000), _I64_AND, _i64(32), _I64_SHL),
        *(_i64(0x7FF8_0000_0000_0000), _I64_OR),
    )
)
"""From a NaN of 4 bytes to the bits of one of 8, its payload left out."""

_PROMOTED_PAYLOAD = b"".join((_I32_REINTERPRET, _I64_EXTEND_U, _i64(0x7F_FFFF), _I64_AND, _i64(29), _I64_SHL, _I64_OR))
_DEMOTED_BITS = b"".join(
    (
        *(_I64_REINTERPRET, _i64(32), _I64_SHR_U, _I32_WRAP, _i32(0x8000_0000), _I32_AND),
        *(_i32(0x7FC0_0000), _I32_OR),
    )
)
_DEMOTED_PAYLOAD = b"".join((_I64_REINTERPRET, _i64(29), _I64_SHR_U, _I32_WRAP, _i32(0x7F_FFFF), _I32_AND, _I32_OR))


def float_instruction(kind: int, *, slots: int) -> bytes:
    """What stands for an instruction of that kind (as in `Walk.values`).

    Local `slots` is the one of type f32, the next one that of type f64.
    """
    four, eight = leb128.unsigned(slots), leb128.unsigned(slots + 1)
    if kind == NEGATE_4:
        return _choose(four, _F32_EQ, _F32, number=_LOCAL_GET + four + _F32_NEG, nan=_CANONICAL_4)
    if kind == NEGATE_8:
        return _choose(eight, _F64_EQ, _F64, number=_LOCAL_GET + eight + _F64_NEG, nan=_CANONICAL_8)
    if kind == PROMOTE:
        get = _LOCAL_GET + four
        nan = get + _PROMOTED_BITS + get + _PROMOTED_PAYLOAD + _F64_REINTERPRET
        return _choose(four, _F32_EQ, _F64, number=get + _PROMOTE, nan=nan)
    if kind == DEMOTE:
        get = _LOCAL_GET + eight
        nan = get + _DEMOTED_BITS + get + _DEMOTED_PAYLOAD + _F32_REINTERPRET
        return _choose(eight, _F64_EQ, _F32, number=get + _DEMOTE, nan=nan)
    raise ValueError(f"no float instruction has the kind {kind}")


def _choose(local: bytes, equal: bytes, result: bytes, *, number: bytes, nan: bytes) -> bytes:
    """`number` where the operand equals itself, `nan` where it does not; both find it in `local`."""
    get = _LOCAL_GET + local
    return b"".join((_LOCAL_SET, local, get, get, equal, _IF, result, number, _ELSE, nan, _END))
