"""What a failing journey leaves."""

from helpers.browsing import keep


def test_a_picture_the_words_and_the_servers_log_are_kept(page, server, server_log, tmp_path):
    page.goto(f"{server}/_stcore/health")
    keep(page, server_log, tmp_path / "kept")
    left = {path.name: path.read_bytes() for path in (tmp_path / "kept").iterdir()}
    assert left["page.png"].startswith(b"\x89PNG")
    assert left["page.txt"].decode() == f"{server}/_stcore/health\n\nok"
    assert left["server.log"] == server_log.read_bytes()
