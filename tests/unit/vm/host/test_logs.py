"""Logs and panics: nearcore's logic/tests/logs.rs and the edges of strings."""

import pytest

from near_tee_cli.vm.failure import U64_MAX, HostFailure
from near_tee_cli.vm.outcome import HostError
from tests.support.host_calls import PAGE, Guest
from tests.support.reference_config import bent, reference_config

TEXT = "j ñ r'ø qò$`5 y'5 øò{%÷ `Võ%"
RAW = TEXT.encode()
WIDE = "$ qò$`"


def utf16(text):
    return text.encode("utf-16-le")


def guest_with(**limits):
    return Guest(bent(reference_config(), **limits))


def refused(guest, name, *arguments):
    with pytest.raises(HostFailure) as caught:
        guest.call(name, *arguments)
    return caught.value.error


def too_long(length, limit):
    return HostError("TotalLogLengthExceeded", (("length", length), ("limit", limit)))


def reads(prefix, *, base, byte, decoded=None):
    costs = {"base": 1, "read_memory_base": base, "read_memory_byte": byte, f"{prefix}_decoding_base": 1}
    return costs if decoded is None else {**costs, f"{prefix}_decoding_byte": decoded}


def test_utf8():
    guest = Guest()
    length, pointer = guest.put(RAW)
    guest.call("log_utf8", length, pointer)
    assert guest.logic.logs == [TEXT]
    expected = reads("utf8", base=1, byte=length, decoded=length)
    assert guest.costs() == {**expected, "log_base": 1, "log_byte": length}


def test_not_utf8():
    guest = Guest()
    assert refused(guest, "log_utf8", *guest.put(b"\x80")) == HostError("BadUTF8")
    assert guest.costs() == reads("utf8", base=1, byte=1, decoded=1)
    assert guest.logic.logs == []


@pytest.mark.parametrize("raw", [b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\xe2\x82", b"a\xff"])
def test_surrogates_overlong_forms_and_fragments_are_not_utf8(raw):
    guest = Guest()
    assert refused(guest, "panic_utf8", *guest.put(raw)) == HostError("BadUTF8")


def test_utf8_up_to_a_nul():
    guest = guest_with(max_total_log_length=len(RAW))
    length, pointer = guest.put(RAW + b"\0")
    guest.call("log_utf8", U64_MAX, pointer)
    assert guest.logic.logs == [TEXT]
    expected = reads("utf8", base=length, byte=length, decoded=length - 1)
    assert guest.costs() == {**expected, "log_base": 1, "log_byte": length - 1}


def test_more_than_may_be_logged():
    limit = len(RAW) - 1
    guest = guest_with(max_total_log_length=limit)
    assert refused(guest, "log_utf8", *guest.put(RAW)) == too_long(limit + 1, limit)
    assert guest.costs() == {"base": 1, "utf8_decoding_base": 1}


def test_more_than_may_be_logged_in_sum():
    limit = len(RAW) * 10 - 1
    guest = guest_with(max_total_log_length=limit, max_number_logs=10)
    length, pointer = guest.put(RAW)
    for _ in range(9):
        guest.call("log_utf8", length, pointer)
    assert refused(guest, "log_utf8", length, pointer) == too_long(limit + 1, limit)
    assert len(guest.logic.logs) == 9


def test_more_than_may_be_logged_after_decoding_counts_twice():
    guest = guest_with(max_total_log_length=4)
    assert refused(guest, "log_utf16", *guest.put(utf16("€€"))) == too_long(12, 4)
    assert guest.logic.logs == []
    assert refused(guest, "log_utf8", 1, 0) == too_long(7, 4)


def test_the_number_of_logs():
    guest = guest_with(max_number_logs=3)
    length, pointer = guest.put(b"blabla")
    for _ in range(3):
        guest.call("log_utf8", length, pointer)
    error = HostError("NumberOfLogsExceeded", (("limit", 3),))
    assert refused(guest, "log_utf8", length, pointer) == error
    costs = guest.costs()
    assert (costs["base"], costs["log_base"], costs["log_byte"], costs["utf8_decoding_base"]) == (4, 3, 18, 3)
    assert refused(guest, "log_utf16", length, pointer) == error
    assert refused(guest, "abort", 4, 4, 0, 0) == error


def test_both_kinds_share_the_limit():
    limit = 3 * 5 - 1
    guest = guest_with(max_total_log_length=limit)
    wide, narrow = guest.put(utf16("abc")), guest.put(b"abc")
    for _ in range(2):
        guest.call("log_utf16", *wide)
        guest.call("log_utf8", *narrow)
    assert refused(guest, "log_utf8", *narrow) == too_long(limit + 1, limit)


def test_a_nul_that_comes_too_late():
    limit = len(RAW) - 1
    guest = guest_with(max_total_log_length=limit)
    assert refused(guest, "log_utf8", U64_MAX, guest.put(RAW + b"\0")[1]) == too_long(limit + 1, limit)
    assert guest.costs() == reads("utf8", base=limit + 1, byte=limit + 1)


def test_the_largest_search_for_a_nul():
    guest = Guest()
    guest.put(b"x" * 20_000)
    assert refused(guest, "log_utf8", U64_MAX, 0) == too_long(16_385, 16_384)
    assert guest.costs() == reads("utf8", base=16_385, byte=16_385)


def test_utf16():
    guest = Guest()
    length, pointer = guest.put(utf16(WIDE))
    guest.call("log_utf16", length, pointer)
    assert guest.logic.logs == [WIDE]
    expected = reads("utf16", base=1, byte=length, decoded=length)
    assert guest.costs() == {**expected, "log_base": 1, "log_byte": len(WIDE.encode())}


def test_utf16_up_to_a_zero_unit():
    guest = Guest()
    length, pointer = guest.put(utf16(WIDE + "\0"))
    guest.call("log_utf16", U64_MAX, pointer)
    assert guest.logic.logs == [WIDE]
    expected = reads("utf16", base=length // 2, byte=length, decoded=length - 2)
    assert guest.costs() == {**expected, "log_base": 1, "log_byte": len(WIDE.encode())}


def test_a_zero_unit_is_looked_for_at_even_positions():
    guest = Guest()
    raw = b"\1\0\0\1" + b"\0\0"
    guest.call("log_utf16", U64_MAX, guest.put(raw)[1])
    assert guest.logic.logs == ["\1Ā"]


def test_utf16_under_an_odd_limit():
    guest = guest_with(max_total_log_length=5)
    guest.call("log_utf16", U64_MAX, guest.put(utf16("ab\0"))[1])
    expected = reads("utf16", base=3, byte=6, decoded=4)
    assert guest.costs() == {**expected, "log_base": 1, "log_byte": 2}
    assert refused(guest, "log_utf16", U64_MAX, guest.put(utf16("abc\0"))[1]) == too_long(6, 5)
    assert guest.costs() == reads("utf16", base=2, byte=4)


def test_utf16_with_a_length_is_read_before_it_is_measured():
    guest = guest_with(max_total_log_length=32)
    guest.call("log_utf16", *guest.put(utf16("a" * 16)))
    guest = guest_with(max_total_log_length=32)
    assert refused(guest, "log_utf16", *guest.put(utf16("a" * 17))) == too_long(34, 32)
    assert guest.costs() == reads("utf16", base=1, byte=34)


def test_half_a_unit():
    guest = Guest()
    assert refused(guest, "log_utf16", *guest.put(b"abc")) == HostError("BadUTF16")
    assert guest.costs() == reads("utf16", base=1, byte=3)


@pytest.mark.parametrize("terminated", [False, True])
def test_unpaired_surrogates(terminated):
    guest = Guest()
    raw = utf16("\U0001d11emu") + b"\0\xd8" + utf16("ic")
    length, pointer = guest.put(raw + b"\0\0")
    assert refused(guest, "log_utf16", U64_MAX if terminated else length - 2, pointer) == HostError("BadUTF16")
    count = length // 2 if terminated else 1
    assert guest.costs() == reads("utf16", base=count, byte=length if terminated else len(raw), decoded=len(raw))


def test_a_byte_order_mark_is_text():
    guest = Guest()
    guest.call("log_utf16", *guest.put(utf16("\ufeffa")))
    guest.call("log_utf8", *guest.put("\ufeffa".encode()))
    assert guest.logic.logs == ["\ufeffa", "\ufeffa"]


AT_END = b"foo bar \xff baz qux"


@pytest.mark.parametrize(
    ("length", "error", "costs"),
    [
        (17, "BadUTF8", reads("utf8", base=1, byte=17, decoded=17)),
        (18, "MemoryAccessViolation", reads("utf8", base=1, byte=18)),
        (U64_MAX, "MemoryAccessViolation", reads("utf8", base=18, byte=18)),
    ],
)
def test_utf8_at_the_end_of_memory(length, error, costs):
    guest = Guest()
    guest.put(AT_END, at=PAGE - len(AT_END))
    assert refused(guest, "log_utf8", length, PAGE - len(AT_END)) == HostError(error)
    assert guest.costs() == costs


@pytest.mark.parametrize(
    ("length", "error", "costs"),
    [
        (32, "BadUTF16", reads("utf16", base=1, byte=32, decoded=32)),
        (34, "MemoryAccessViolation", reads("utf16", base=1, byte=34)),
        (U64_MAX, "MemoryAccessViolation", reads("utf16", base=17, byte=34)),
    ],
)
def test_utf16_at_the_end_of_memory(length, error, costs):
    raw = utf16(WIDE) + b"\0\xd8" + utf16("foobarbaz")
    guest = Guest()
    guest.put(raw, at=PAGE - len(raw))
    assert refused(guest, "log_utf16", length, PAGE - len(raw)) == HostError(error)
    assert guest.costs() == costs


@pytest.mark.parametrize("pointer", [PAGE, PAGE + 1, U64_MAX])
def test_strings_that_begin_outside(pointer):
    guest = Guest()
    assert refused(guest, "log_utf8", U64_MAX, pointer) == HostError("MemoryAccessViolation")
    assert guest.costs() == reads("utf8", base=1, byte=1)
    assert refused(guest, "log_utf16", U64_MAX, pointer) == HostError("MemoryAccessViolation")
    assert guest.costs() == reads("utf16", base=1, byte=2)


def test_a_unit_across_the_end_of_memory():
    guest = Guest()
    guest.put(b"abc", at=PAGE - 3)
    assert refused(guest, "log_utf16", U64_MAX, PAGE - 3) == HostError("MemoryAccessViolation")
    assert guest.costs() == reads("utf16", base=2, byte=4)


def test_absurd_lengths():
    guest = Guest()
    assert refused(guest, "log_utf8", U64_MAX - 1, 0) == too_long(U64_MAX - 1, 16_384)
    guest.call("log_utf8", *guest.put(b"ab"))
    assert refused(guest, "log_utf8", U64_MAX - 1, 0) == too_long(U64_MAX, 16_384)
    assert refused(guest, "log_utf16", U64_MAX - 1, 0) == HostError("IntegerOverflow")


def test_panics():
    guest = Guest()
    assert refused(guest, "panic") == HostError("GuestPanic", (("panic_msg", "explicit guest panic"),))
    assert guest.costs() == {"base": 1}
    assert refused(guest, "panic_utf8", *guest.put(RAW)) == HostError("GuestPanic", (("panic_msg", TEXT),))
    assert guest.logic.logs == []


def assembly_script(guest, text):
    raw = utf16(text)
    return guest.put(len(raw).to_bytes(4, "little") + raw)[1] + 4


def test_abort():
    guest = Guest()
    message, file = assembly_script(guest, "żó𝄞"), assembly_script(guest, "€.ts")
    error = refused(guest, "abort", message, file, 2**32 - 1, 7)
    text = 'żó𝄞, filename: "€.ts" line: 4294967295 col: 7'
    assert error == HostError("GuestPanic", (("panic_msg", text),))
    assert guest.logic.logs == [f"ABORT: {text}"]
    costs = guest.costs()
    assert (costs["read_memory_base"], costs["read_memory_byte"]) == (4, 8 + 8 + 8)
    assert (costs["utf16_decoding_base"], costs["utf16_decoding_byte"]) == (2, 16)
    assert (costs["log_base"], costs["log_byte"]) == (1, len(text.encode()))
    assert guest.logic.log_length == len(text.encode()) + len("ABORT: ")


@pytest.mark.parametrize(("message", "file"), [(3, 8), (8, 3), (0, 0)])
def test_abort_without_room_for_lengths(message, file):
    guest = Guest()
    assert refused(guest, "abort", message, file, 0, 0) == HostError("BadUTF16")
    assert guest.costs() == {"base": 1}


def test_abort_whose_prefix_does_not_fit():
    text = ', filename: "" line: 0 col: 0'
    guest = guest_with(max_total_log_length=len(text) + 6)
    empty = assembly_script(guest, "")
    assert refused(guest, "abort", empty, empty, 0, 0) == too_long(2 * (len(text) + 7), len(text) + 6)
    assert guest.logic.logs == []


def test_running_out_of_gas_while_looking_for_a_nul():
    full = Guest()
    full.call("log_utf8", U64_MAX, full.put(b"abcdef\0")[1])
    per_read = 2_609_863_200 + 3_801_333
    before = 264_768_111 + 3_111_779_061
    guest = Guest(prepaid_gas=before + 3 * per_read + 5)
    assert refused(guest, "log_utf8", U64_MAX, guest.put(b"abcdef\0")[1]) == HostError("GasExceeded")
    profile = guest.logic.gas.profile()
    assert guest.logic.gas.burnt == before + 3 * per_read + 5
    assert profile.wasm_gas == 0
    assert guest.costs() == reads("utf8", base=3, byte=3)
