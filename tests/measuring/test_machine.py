"""What is said of the machine that a number was measured on."""

import pytest

from wlm.measuring import machine


@pytest.mark.parametrize(
    ("content", "quota"),
    [("150000 100000\n", 1.5), ("max 100000\n", None), ("", None), (None, None)],
    ids=["limited", "unlimited", "empty", "no file"],
)
def test_a_containers_share_of_cpus_is_told(tmp_path, monkeypatch, content, quota):
    monkeypatch.setattr(machine, "QUOTA", tmp_path / "cpu.max")
    if content is not None:
        machine.QUOTA.write_text(content, "utf-8")
    assert machine._quota() == quota
