"""The files under deploy/ say what the app understands."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from view.shared.guard import DESCRIPTORS
from wlm.hosting import Hosting

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.iterdir() if path.is_file())
SETTINGS = {field.metadata["variable"] for field in fields(Hosting)}
OTHERS = {"WLM_DATA", "WLM_CACHE", "WLM_DATABASE_URL", "WLM_DASK", "WLM_MODELS", "WLM_TEXTS"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_variable_is_one_that_the_app_reads(path):
    assert set(re.findall(r"\bWLM_[A-Z_]+\b", path.read_text("utf-8"))) <= SETTINGS | OTHERS


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_documentation_names_every_file(path):
    assert f"deploy/{path.name}" in (ROOT / "docs" / "hosting.md").read_text("utf-8")


def test_the_composed_servers_are_those_that_nginx_asks():
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    asked = re.findall(r"server ([\w-]+):8501 ", (DEPLOY / "nginx.conf").read_text("utf-8"))
    assert set(asked) == {name for name in services if name.startswith("server-")}
    for name in (*asked, "worker"):
        environment = services[name]["environment"]
        assert environment["WLM_PUBLIC"] == "1"
        assert environment["WLM_DATABASE_URL"].startswith("postgresql://")
        assert environment["WLM_DASK"] == "tcp://scheduler:8786"
        assert services[name]["read_only"] and services[name]["cap_drop"] == ["ALL"]


def test_every_deployment_names_its_hosts_and_has_descriptors_for_many_visitors():
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    for service in (services["server-a"], services["server-b"]):
        hosts = service["environment"]["STREAMLIT_SERVER_ALLOWED_HOSTS"]
        assert hosts.startswith("${HOST_NAME:?") and hosts.endswith(" 127.0.0.1")
        assert service["ulimits"]["nofile"] == DESCRIPTORS
    unit = (DEPLOY / "wlm.service").read_text("utf-8")
    assert '\nEnvironment="STREAMLIT_SERVER_ALLOWED_HOSTS=localhost 127.0.0.1"\n' in unit
    assert f"\nLimitNOFILE={DESCRIPTORS}\n" in unit
    # The file of settings comes last, so that it can name other hosts.
    assert unit.index("\nEnvironmentFile=") > unit.rindex("\nEnvironment=")


def test_the_image_and_the_unit_run_what_readme_names():
    image = (DEPLOY / "Dockerfile").read_text("utf-8")
    unit = (DEPLOY / "wlm.service").read_text("utf-8")
    assert '"streamlit", "run", "streamlit_app.py"' in image and "\nUSER wlm\n" in image
    assert "streamlit run streamlit_app.py" in unit and "\nUser=wlm\n" in unit
    assert "MemoryMax=" in unit and "ProtectSystem=strict" in unit
