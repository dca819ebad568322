"""What is loaded before anything is drawn."""

import subprocess
import sys

import pytest

# Loads what all charts share, and tells whether pandas was whole when its first part was made.
LOAD = """
import sys
import altair

whole = []
make = altair.ExprRef.__init__


def look(*arguments, **options):
    whole.append(hasattr(sys.modules.get("pandas"), "Timestamp"))
    make(*arguments, **options)


altair.ExprRef.__init__ = look
import view.shared.charts

print(whole[0])
"""


@pytest.mark.slow
def test_pandas_is_whole_before_the_first_part_of_a_chart_is_made():
    """Of several visitors who load pages at once, all but one would find half of it."""
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
