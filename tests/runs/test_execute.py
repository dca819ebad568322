"""A run done in this process."""

from wlm.measuring.comparison import CompareSpec
from wlm.runs.execute import KINDS, execute
from wlm.runs.run import Run, State


def test_a_defect_fails_the_run_without_its_details(store, named, monkeypatch, caplog):
    def broken(spec):
        raise RuntimeError("internal detail")

    monkeypatch.setitem(KINDS, "compare", (CompareSpec, broken))
    run = Run("compare", named.to_json())
    store.create(run)
    execute(run.id, store)
    assert store.get(run.id).state == State.FAILED
    assert "internal detail" not in store.get(run.id).message
    assert "internal detail" in caplog.text


def test_a_run_that_has_begun_is_not_done_again(store, named):
    run = Run("compare", named.to_json(), state=State.DONE, result={"kept": True})
    store.create(run)
    execute(run.id, store)
    assert store.get(run.id) == run
