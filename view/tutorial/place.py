"""The visitor's place in the tour: the step, whether a presenter shows it, and the runs
measured."""

from dataclasses import dataclass, field, replace

import streamlit as st

from view.shared.hooks import came_by_history

NUMBERS = range(1, 9)  # the numbers of the steps, see steps.py
RUNS = QUANTIZED, TODAY = "tour-run", "tour-onnx-run"  # the runs that two of the steps measure


@dataclass(frozen=True)
class Place:
    """A place in the tour: a step from 1, whether it is presented, and the ids of runs by their
    keys in the URL. The URL holds all of this."""

    step: int = 1
    presenting: bool = False
    runs: dict[str, str] = field(default_factory=dict)

    @classmethod
    def in_url(cls) -> "Place":
        """Return the place that the URL names, or the first step if it names none."""
        query = st.query_params
        asked = query.get("step", "1")
        return cls(
            int(asked) if asked in map(str, NUMBERS) else 1,
            query.get("present") in ("true", "1"),
            {key: query[key] for key in RUNS if key in query},
        )

    def query(self) -> dict[str, str]:
        """Return the part of the URL's query that holds this place."""
        presenting = {"present": "true"} if self.presenting else {}
        return {"step": str(self.step), **presenting, **self.runs}


def place() -> Place:
    """Return the visitor's place: the last one that the visitor went to, or the one in the URL
    after the browser's Back or Forward."""
    # Otherwise ignore the URL: a press may still send the URL of the press before.
    if "tour" not in st.session_state or came_by_history():
        st.session_state["tour"] = Place.in_url()
    return st.session_state["tour"]


def go(**changes) -> None:
    """Go to another place and write it into the URL. This closes the code of the step."""
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
