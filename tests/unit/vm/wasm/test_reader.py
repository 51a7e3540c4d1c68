import pytest

from near_tee_cli.vm.wasm import opcodes as op
from near_tee_cli.vm.wasm import reader
from near_tee_cli.vm.wasm.reader import Constant, Cursor, Export, FuncType, Global, MalformedError


def cursor(text):
    data = bytes.fromhex(text)
    return Cursor(data, 0, end=len(data))


def refused(read, text):
    with pytest.raises(MalformedError):
        read(cursor(text))


class TestCursor:
    @pytest.mark.parametrize(
        ("text", "value"),
        [("05", 5), ("8500", 5), ("8580808000", 5), ("ffffffff0f", 2**32 - 1), ("80808080 08", 2**31)],
    )
    def test_integers_in_any_length(self, text, value):
        at = cursor(text)
        assert at.u32() == value
        at.finish()

    @pytest.mark.parametrize("text", ["", "80", "ffffffff1f", "ffffffff7f", "8080808080", "808080808000"])
    def test_integers_out_of_range(self, text):
        refused(Cursor.u32, text)

    def test_names(self):
        assert cursor("03 e282ac").name() == "€".encode()
        assert len(Cursor(b"\xa0\x8d\x06" + b"x" * 100_000, 0, end=100_003).name()) == 100_000
        for text in ("02 ff41", "04 657601", "02 c0af", "04 eda080 41"):
            refused(Cursor.name, text)
        with pytest.raises(MalformedError):
            Cursor(b"\xa1\x8d\x06" + b"x" * 100_001, 0, end=100_004).name()

    def test_value_types(self):
        assert "".join(cursor(text).value_type() for text in ("7f", "7e", "7d", "7c", "70", "6370")) == "dqfgrr"
        for text in ("", "7b", "6f", "40", "00", "636f", "6470", "63"):
            refused(Cursor.value_type, text)

    def test_reading_stops_at_the_end_of_the_range(self):
        at = Cursor(b"\x01\x02\x03", 0, end=2)
        assert at.skip(2) == 0
        for read in (at.byte, at.u32, at.name):
            with pytest.raises(MalformedError):
                read()
        assert Cursor(b"abc", 0, end=2).skip(0) == 0
        with pytest.raises(MalformedError):
            Cursor(b"abc", 0, end=2).skip(3)

    @pytest.mark.parametrize(
        "text",
        ["41 00 0b", "41 8080808078 0b", "42 ffffffffffffffffff00 0b", "43 00000000 0b", "44 0000000000000000 0b"],
    )
    def test_constants(self, text):
        at = cursor(text)
        assert at.constant() == Constant(bytes.fromhex(text)[0], 0, 0, at.end)

    def test_references_as_constants(self):
        assert cursor("d0 70 0b").constant() == Constant(op.REF_NULL, 0, 0, 3)
        assert cursor("d2 8101 0b").constant() == Constant(op.REF_FUNC, 129, 0, 4)

    @pytest.mark.parametrize(
        "text",
        [
            "0b",
            "41 00",
            "41 00 41 00 6a 0b",
            "23 00 0b",
            "d0 6f 0b",
            "fd0c 0b",
            "01 0b",
            "41 00 1a 0b",
            "42 80808080808080808080 0b",
        ],
    )
    def test_what_is_no_constant(self, text):
        refused(Cursor.constant, text)


class TestItems:
    def test_types(self):
        assert reader.read_type(cursor("60 03 7f 7e 70 01 7c")) == FuncType("dqr", "g")
        assert reader.read_type(cursor("4f 00 60 00 00")) == FuncType("", "")
        assert reader.read_type(cursor("60 e807" + "7f" * 1000 + "00")) == FuncType("d" * 1000, "")
        for text in (
            "60 00 02 7f 7f",
            "60 e907" + "7f" * 1001 + "00",
            "5f 00",
            "50 00 60 00 00",
            "4f 01 00 60 00 00",
            "4e 01 60 00 00",
        ):
            refused(reader.read_type, text)

    def test_imports(self):
        assert reader.read_import(cursor("03 656e76 01 66 00 05")) == (b"env", b"f", 0, 5)
        assert reader.read_import(cursor("00 01 66 01 70 00 0a")) == (b"", b"f", 1, 0)
        assert reader.read_import(cursor("00 00 02 01 01 02")) == (b"", b"", 2, 0)
        assert reader.read_import(cursor("00 00 03 7f 01")) == (b"", b"", 3, 0)
        for text in ("00 00 04 00 00", "00 00 02 03 01 02", "00 00 02 04 01", "00 00 03 7f 02", "00 00 01 6f 00 00"):
            refused(reader.read_import, text)

    def test_tables_globals_exports(self):
        assert reader.read_table(cursor("70 01 05 09")) == 5
        assert reader.read_table(cursor("6370 00 05")) == 5
        refused(reader.read_table, "7f 00 05")
        refused(reader.read_table, "40 00 70 00 05 d0 70 0b")
        assert reader.read_global(cursor("7f 01 41 05 0b")) == Global("d", True, Constant(op.I32_CONST, 0, 2, 5))
        refused(reader.read_global, "7f 02 41 05 0b")
        assert reader.read_export(cursor("01 6d 03 07")) == Export(b"m", 3, 7)
        refused(reader.read_export, "01 6d 04 07")

    def test_element_segments(self):
        offset = "41 00 0b"
        for flags, text in enumerate(
            (
                f"{offset} 02 01 8200", "00 02 01 8200", f"05 {offset} 00 02 01 8200", "00 02 01 8200",
                f"{offset} 01 d2 01 0b", "70 01 d2 01 0b", f"05 {offset} 70 01 d0 70 0b", "70 00",
            )
        ):  # fmt: skip
            at = cursor(f"{flags:02x}" + text)
            segment = reader.read_segment(at)
            at.finish()
            assert segment.flags == flags
            assert segment.table == (5 if flags in (2, 6) else None)
            assert (segment.offset is None) == bool(flags & 1)
            assert [index for _, _, index in segment.functions] == ([] if flags & 4 else [1, 2])
            assert (segment.items is None) == (not flags & 4)
        for text in ("08 00", "01 01 00", "05 7f 00", "00 00 00 00"):
            refused(reader.read_segment, text)

    def test_data_segments(self):
        for text in ("00 41 00 0b 02 aabb", "01 02 aabb", "02 00 41 00 0b 00"):
            at = cursor(text)
            reader.read_data(at)
            at.finish()
        for text in ("03 00", "01 03 aabb", "00 41 00 01 0b 00"):
            refused(reader.read_data, text)

    @pytest.mark.parametrize(
        ("text", "letter"),
        [
            ("7f", "d"),
            ("70", "r"),
            ("6370", "r"),
            ("7b", ""),
            ("6f", ""),
            ("6470", ""),
            ("636f", ""),
            ("63 05", ""),
            ("05", ""),
            ("65 70", ""),
            ("63 65 6e", ""),
        ],
    )
    def test_types_of_locals_are_read_before_they_are_judged(self, text, letter):
        at = cursor(text)
        assert reader.read_local_type(at) == letter
        at.finish()

    @pytest.mark.parametrize("text", ["", "40", "63", "f07f", "65 40", "63 ffffffff1f", "63 8080c000", "77"])
    def test_types_of_locals_that_do_not_parse(self, text):
        refused(reader.read_local_type, text)


class TestInstructions:
    @pytest.mark.parametrize(
        ("text", "opcode", "value", "targets"),
        [
            ("00", op.UNREACHABLE, 0, ()),
            ("02 40", op.BLOCK, 0x40, ()),
            ("04 6370", op.IF, 0x70, ()),
            ("0e 02 00 01 8200", op.BR_TABLE, 0, (0, 1, 2)),
            ("11 03 8000", op.CALL_INDIRECT, 3, ()),
            ("1c 01 7f", op.TYPED_SELECT, 0, ()),
            ("20 8100", op.LOCAL_GET, 1, ()),
            ("28 02 ffffffff0f", 0x28, 0, ()),
            ("41 ffffffff0f", op.I32_CONST, 0, ()),
            ("44 0000000000000000", op.F64_CONST, 0, ()),
            ("d0 70", op.REF_NULL, 0, ()),
            ("fc 8b00 00", op.MEMORY_FILL, 0, ()),
            ("fc 0a 00 00", op.MEMORY_COPY, 0, ()),
            ("fc 07", 0xFC07, 0, ()),
        ],
    )
    def test_one(self, text, opcode, value, targets):
        data = bytes.fromhex(text)
        assert list(reader.instructions(data, 0, len(data))) == [(0, len(data), opcode, value, targets)]

    @pytest.mark.parametrize(
        "text",
        [
            "02",
            "02 00",
            "06 40",
            "12 00",
            "0e 02 00",
            "1c 02 7f 7f",
            "fd 0c",
            "fe 00",
            "fc 12 00",
            "fb 00",
            "43 000000",
            "d0 6f",
            "20",
            "42 80808080808080808080 00",
        ],
    )
    def test_what_does_not_decode_or_is_not_allowed(self, text):
        data = bytes.fromhex(text)
        with pytest.raises(MalformedError):
            list(reader.instructions(data, 0, len(data)))

    def test_branch_tables_have_a_limit(self):
        for count, fits in ((131_072, True), (131_073, False)):
            data = b"\x0e" + bytes((count & 0x7F | 0x80, count >> 7 & 0x7F | 0x80, count >> 14)) + bytes(count + 1)
            if fits:
                assert len(next(reader.instructions(data, 0, len(data))).targets) == count + 1
            else:
                with pytest.raises(MalformedError):
                    next(reader.instructions(data, 0, len(data)))
