"""One run as its link shows it: what to do with it, its result, its settings and raw blocks."""

import streamlit as st

from view.compare import results
from view.shared import page as ui
from view.shared import runs as page_runs
from wlm.measuring.comparison import CompareSpec
from wlm.runs.export import summary, to_csv, to_json, to_markdown
from wlm.runs.run import Run


def show(run: Run) -> None:
    """Show a run of any state."""
    with st.container(horizontal=True, vertical_alignment="center"):
        # Not links: one to the page that is open would leave the browser's address as it is.
        if st.query_params.get("run") == run.id:
            if st.button("All runs", icon=":material/arrow_back:"):
                go_to(None)
        elif st.button("Its link", icon=":material/link:", help="An address to share."):
            go_to(run.id)
        if run.state.final:
            show_actions(run)
    facts = summary(run)
    weights = facts["weights_sha256"]
    model = ui.plain(str(facts["model"])) + (f", weights `{weights:.12}`" if weights else "")
    st.caption(f"{facts['origin'].capitalize()} · {model} · {run.state}")
    if not run.state.final:
        page_runs.watch(run.id, results.show_comparison)
        return
    results.show_ended(run)
    if run.result:
        with st.expander("Raw blocks", icon=":material/table_rows:"):
            st.code(to_csv(run), language=None, height=300)
    with st.expander("Settings and machine", icon=":material/tune:"):
        settings, machine = st.columns(2)
        settings.json(run.spec)
        machine.json((run.result or {}).get("machine", {}))


def show_actions(run: Run) -> None:
    """Draw the buttons that run a finished run's settings here, export it, or delete it."""
    why_not = page_runs.why_not_here(run.spec)
    pressed = st.button(
        "Run this here",
        icon=":material/replay:",
        disabled=bool(why_not),
        help=why_not or "Measure with the same settings on this machine.",
    )
    if pressed:
        st.switch_page(
            "streamlit_app.py",
            query_params=page_runs.compare_query(CompareSpec.from_json(run.spec)),
        )
    exports = {"JSON": ("json", to_json)}
    if run.result:
        exports |= {"CSV": ("csv", to_csv), "Markdown": ("md", to_markdown)}
    for label, (suffix, write) in exports.items():
        st.download_button(
            label,
            write(run),
            file_name=f"wlm-run-{run.id}.{suffix}",
            icon=":material/download:",
            on_click="ignore",
        )
    if run.visitor == ui.visitor():
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown("Its link will then show nothing.")
            if st.button("Delete for good", type="primary"):
                ui.job_queue().store.delete(run.id, ui.visitor())
                go_to(None)


def go_to(run_id: str | None) -> None:
    """Open the Runs page again, on one run or on their list."""
    if run_id:
        st.query_params["run"] = run_id
    else:
        st.query_params.pop("run", None)
    st.rerun()
