"""`streamlit run` of the app for journeys: short runs end within seconds, and a mirror serves a
corpus of a few lines instead of WikiText-2."""

import sys
from functools import partialmethod
from pathlib import Path

from streamlit.web import cli

import wlm.catalog.wikitext2
from view.compare import choose
from view.shared import progress
from wlm.catalog.wikitext2 import PublishedFile
from wlm.inspecting.times import InspectSpec

SECONDS = 0.5  # enough for five groups on any machine, and so for intervals

FILES = {
    "train.txt": b" the river \n" * 20_000,
    "valid.txt": b" a bridge \n",
    "test.txt": b" the bridge over the river \n" * 50,
}
# What `git hash-object` says of them.
BLOBS = {
    "train.txt": "2b113447b0e89dc8b7722fae495f9dff74b5cca3",
    "valid.txt": "e906af4fe63570fe6031ab00bdc3b35b98834879",
    "test.txt": "828e8d81d91b96acd321075bf20aabafcd9f264d",
}

if __name__ == "__main__":
    choose.quick_seconds = lambda variants: SECONDS
    progress.follow.__defaults__ = (1.0,)  # a run is drawn half as often
    InspectSpec.__init__ = partialmethod(InspectSpec.__init__, seconds=SECONDS)
    wlm.catalog.wikitext2.WIKITEXT2_FILES = tuple(
        PublishedFile(name, len(content), BLOBS[name]) for name, content in FILES.items()
    )
    root = Path(__file__).resolve().parent.parent.parent
    sys.argv = ["streamlit", "run", str(root / "streamlit_app.py"), *sys.argv[1:]]
    sys.exit(cli.main())
