"""The rooms of this server, and those of all that share its database."""

from view.shared import server
from view.shared.singleton import singleton
from wlm.audience.store import AudienceStore
from wlm.errors import AudienceError, StoreError
from wlm.paths import database_url


@singleton
def rooms() -> AudienceStore:
    """Return the store of rooms; where the database takes none, one that ends with this server."""
    try:
        return AudienceStore(database_url())
    except (AudienceError, StoreError):
        return AudienceStore(server.job_queue().store.spill_url)
