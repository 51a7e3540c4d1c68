from near_tee_cli.state.recorder import Recorder, TouchCounter


def test_size_counts_each_item_once():
    recorder = Recorder()
    recorder.record(b"a" * 32, b"12345")
    recorder.record(b"b" * 32, b"123")
    recorder.record(b"a" * 32, b"12345")
    assert recorder.size == recorder.upper_bound_size == 8
    assert list(recorder.nodes) == [b"a" * 32, b"b" * 32]
    assert recorder.sorted_items() == [b"123", b"12345"]


def test_every_removal_raises_the_upper_bound():
    recorder = Recorder()
    recorder.record(b"a" * 32, b"12345")
    recorder.record_removal()
    recorder.record_removal()
    assert recorder.size == 5
    assert recorder.upper_bound_size == 4005


def test_a_hash_costs_db_once_and_mem_from_then_on():
    touches = TouchCounter()
    for item in (b"a", b"b", b"a", b"a"):
        touches.count(item)
    assert (touches.db, touches.mem) == (2, 2)
