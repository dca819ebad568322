"""Where in the tour one is: its step, whether a presenter shows it, and the runs it measured."""

from dataclasses import dataclass, field, replace

import streamlit as st

from view.shared.hooks import came_by_history

NUMBERS = range(1, 9)  # of the steps, see steps.py
RUNS = QUANTIZED, TODAY = "tour-run", "tour-onnx-run"  # what two of them measure


@dataclass(frozen=True)
class Place:
    """A place in the tour, all of which the URL holds: a step from 1, whether it is presented, and
    the ids of runs by their keys in the URL."""

    step: int = 1
    presenting: bool = False
    runs: dict[str, str] = field(default_factory=dict)

    @classmethod
    def in_url(cls) -> "Place":
        """Return the place that the URL asks for, the first step where it asks for none."""
        query = st.query_params
        asked = query.get("step", "1")
        return cls(
            int(asked) if asked in map(str, NUMBERS) else 1,
            query.get("present") in ("true", "1"),
            {key: query[key] for key in RUNS if key in query},
        )

    def query(self) -> dict[str, str]:
        """Return what the URL holds of it."""
        presenting = {"present": "true"} if self.presenting else {}
        return {"step": str(self.step), **presenting, **self.runs}


def place() -> Place:
    """Return where one is: as one went there last, or as the browser's Back and Forward say."""
    # Else the URL is not asked: a press may come with the one of the press before.
    if "tour" not in st.session_state or came_by_history():
        st.session_state["tour"] = Place.in_url()
    return st.session_state["tour"]


def go(**changes) -> None:
    """Go to another place, and have the URL say so; code that was open for a step is closed."""
    before = place()
    if (now := replace(before, **changes)) == before:
        return
    st.session_state["tour"] = now
    st.session_state["tour-code"] = False
    query = now.query()
    for key in before.query().keys() - query.keys():
        st.query_params.pop(key, None)
    for key, value in query.items():
        if st.query_params.get(key) != value:
            st.query_params[key] = value
