"""The rooms of this server, and those of all that share its database."""

from view.shared import server
from view.shared.singleton import singleton
from wlm.audience.store import AudienceStore
from wlm.paths import database_url


@singleton
def rooms() -> AudienceStore:
    """Return the store of rooms. While its database cannot be opened, they end with this server."""
    return AudienceStore(database_url(), lambda: server.job_queue().store.spill_url)
