"""Which tests one of several processes runs together."""

from xdist.scheduler import LoadScopeScheduling

BROWSER = "tests/browser/"


class Together(LoadScopeScheduling):
    """One process runs all tests of a file, so that what these share is started once, and one those
    of all files in a browser, for one server and one Chromium.

    Not by pytest-xdist's own groups: 3.8 notes them where pytest 9.2 no longer looks, and shares
    out single tests without a word.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return BROWSER if path.startswith(BROWSER) else path
