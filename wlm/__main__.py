"""`python -m wlm`."""

import sys

from wlm.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
