"""All variants between bytes and loss, and those that none beats in both."""

from wlm.measuring.tradeoff import Place, best, front, places


def place(label: str, size: int, delta: float) -> Place:
    return Place(label, label, size, delta, None, 1.0, False)


def result(*rows: tuple[str, int, float], **protocol) -> dict:
    return {
        "protocol": {"weights_sha256": "a", "text": "demo", "bptt": 25, "batch_size": 1} | protocol,
        "results": [
            {
                "variant": name,
                "label": name,
                "size_bytes": size,
                "loss_delta": delta,
                "loss_delta_ci95": [delta - 0.1, delta + 0.1] if delta else None,
                "speedup": 2.0,
            }
            for name, size, delta in rows
        ],
    }


def test_the_front_is_what_no_other_beats_in_both():
    small, middle, large = place("s", 10, 0.3), place("m", 20, 0.1), place("l", 30, 0.0)
    beaten, alike = place("b", 25, 0.2), place("a", 20, 0.1)
    assert front([large, beaten, middle, alike, small]) == [small, middle, large]
    assert front([place("worse", 10, 0.4), small]) == [small]


def row(loss: float, speedup: float, size: int = 10) -> dict:
    return {"loss": loss, "speedup": speedup, "size_bytes": size}


def test_the_best_is_the_fastest_without_a_higher_loss():
    baseline = row(5.0, 1.0)
    assert best([baseline]) == 0
    assert best([baseline, row(5.009, 2.0), row(5.02, 9.0), row(4.9, 1.5)]) == 1
    assert best([baseline, row(5.0, 2.0, 20), row(5.0, 2.0, 10)]) == 2  # as fast, and smaller
    assert best([baseline, row(5.3, 9.0), row(5.2, 2.0)]) == 2  # every loss is higher


def test_variants_measured_here_come_before_recorded_ones():
    here = result(("fp32", 100, 0.0), ("int8", 80, 0.2))
    before = result(("fp32", 100, 0.0), ("int8", 80, 0.4), ("fp16", 100, 0.1))
    found = places([(here, False), (before, True)])
    assert [(mark.variant, mark.loss_delta, mark.recorded) for mark in found] == [
        ("fp32", 0.0, False),
        ("int8", 0.2, False),
        ("fp16", 0.1, True),
    ]
    assert found[0].ends is None and found[2].ends == (0.0, 0.2)


def test_what_was_measured_otherwise_does_not_stand_beside():
    here = result(("fp32", 100, 0.0))
    others = [
        result(("fp32", 100, 0.0), ("int8", 80, 0.4), weights_sha256="b"),
        result(("fp32", 100, 0.0), ("int8", 80, 0.4), text="other"),
        result(("int8", 80, 0.0), ("fp16", 100, 0.4)),
    ]
    assert len(places([(here, False), *((other, True) for other in others)])) == 1


def test_results_without_intervals_are_left_out():
    old = {"protocol": {}, "results": [{"variant": "fp32", "label": "fp32", "size_bytes": 1}]}
    assert places([(old, False)]) == []
