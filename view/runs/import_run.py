"""The upload of an exported run."""

from dataclasses import replace

import streamlit as st

from view.runs.one_run import go_to
from view.shared import server, visitor
from view.shared.received import FILES
from wlm.errors import ReportError
from wlm.hosting import hosting
from wlm.rate_limit import RateLimit
from wlm.runs.html import run_json
from wlm.runs.import_run import MOST_BYTES, from_json

# Per network address and hour, which a whole lecture hall may share. Refused files count as well:
# checking them takes time.
IMPORTS = RateLimit(60, 3600.0)


def show_import() -> None:
    """Draw the upload of an exported run, if visitors may import. The run then shows like any
    other."""
    if not hosting().allows("importing"):
        return
    with st.expander("Import an exported run", icon=":material/upload:"):
        with st.form("import", clear_on_submit=True, border=False):
            file = st.file_uploader(
                "JSON or HTML", type=["json", "html"], max_upload_size=MOST_BYTES // 10**6
            )
            pressed = st.form_submit_button("Import", icon=":material/upload:")
        if not pressed:
            return
        if file is None:
            raise ReportError("choose an exported run first")
        file = FILES.content_of(file)
        if file.size > MOST_BYTES:
            raise ReportError(f"the file must have at most {MOST_BYTES:,} bytes, got {file.size:,}")
        if hosting().public and not IMPORTS.take(visitor.address()):
            raise ReportError(
                f"visitors of one network may import {IMPORTS.most} runs per hour: try again later"
            )
        run = replace(from_json(run_json(file.read())), visitor=visitor.name())
        server.job_queue().add_imported(run)
        FILES.forget([file])
        go_to(run.id)
