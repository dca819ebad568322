"""What wlm is measured with; servers and databases are started as tests start theirs."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests"))
