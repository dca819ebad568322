"""The memory of variants: what is known, and the run that measures the rest."""

from collections.abc import Sequence

import streamlit as st

from view.shared import server, visitor
from view.shared.runs import find_run, show_run
from wlm.errors import StoreError
from wlm.measuring.memories import MemorySpec
from wlm.measuring.memory import Memory, kept_memory
from wlm.quantization.variant import Variant
from wlm.runs.run import Run

KEY = "memory"  # of the run in the URL


def run_of(model: str) -> Run | None:
    """Return the run that the URL names, if it measures the memory of this model's variants."""
    try:
        run = find_run(st.query_params.get(KEY, ""), MemorySpec.kind)
    except StoreError:
        return None
    return run if run.spec["model"] == model else None


def measured_memory(
    model: str, variants: Sequence[Variant], run: Run | None
) -> dict[Variant, Memory]:
    """Return the memory of those variants of a named model that were measured: before on this
    machine, or by this run. Raises WLMError."""
    checkpoint = server.load_model(model)
    known = {variant: kept_memory(checkpoint, variant, model) for variant in variants}
    if run and run.result:  # a cluster's worker keeps its measurements elsewhere
        of_run = {row["variant"]: Memory(**row["memory"]) for row in run.result["results"]}
        known = {variant: known[variant] or of_run.get(str(variant)) for variant in variants}
    return {variant: memory for variant, memory in known.items() if memory}


def offer_memory(model: str, missing: Sequence[Variant], run: Run | None) -> None:
    """Draw the button that measures the memory of these variants; during a run, its progress and a
    button to stop it."""
    if run:
        show_run(run, lambda _: None)
        if not run.state.final:
            return
    spec = MemorySpec(tuple(map(str, missing)), model)
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button("Measure memory", icon=":material/memory:")
        labels = ", ".join(variant.label for variant in missing)
        st.caption(f"Memory of {labels}: about {spec.most_seconds:.0f} seconds, once.")
    if pressed:
        st.query_params[KEY] = server.job_queue().submit(spec, visitor.name())
        st.rerun()
