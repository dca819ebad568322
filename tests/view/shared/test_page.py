"""What every page shows: errors as sentences."""

import pytest
from streamlit.testing.v1 import AppTest

from view.shared.page import RUN_ID, for_visitors
from wlm.runs.run import new_id


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("'/srv/models/x/weights.pt' is damaged: byte 3", "'weights.pt' is damaged: byte 3"),
        ("Runs are not kept in sqlite:////var/lib/wlm/runs.sqlite: full", "the database: full"),
        ("kept in postgresql://wlm:***@db.internal:5432/wlm. Later", "kept in the database. Later"),
        ("postgresql+psycopg://wlm@db:5432/wlm is away", "the database is away"),
        ("int8/fp32, 3 / 4 and https://example.org/a/b", "int8/fp32, 3 / 4 and https://example"),
    ],
)
def test_strangers_see_names_and_no_paths(public, message, shown):
    assert for_visitors(message) == message
    public()
    assert shown in for_visitors(message)
    assert not any(word in for_visitors(message) for word in ("/srv", "/var", "5432", "internal"))


def test_a_backslash_before_a_bracket_makes_no_link():
    def script() -> None:
        from view.shared.page import show_error

        show_error(r"the key \[x](https://example.org) is unknown")

    error = AppTest.from_function(script).run().error[0]
    assert error.value == r"The key \\\[x\](https://example.org) is unknown."


def test_the_ids_of_runs_may_be_logged():
    assert RUN_ID.fullmatch(new_id())
