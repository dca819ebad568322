"""The rooms of this server, and those of all that share its database."""

import streamlit as st

from view.shared import server
from wlm.audience.store import AudienceStore
from wlm.errors import AudienceError, StoreError
from wlm.paths import database_url


@st.cache_resource(show_spinner=False)
def rooms() -> AudienceStore:
    """Return the store of rooms; where the database takes none, one that ends with this server."""
    try:
        return AudienceStore(database_url())
    except (AudienceError, StoreError):
        return AudienceStore(server.job_queue().store.spill_url)
