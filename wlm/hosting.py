"""How this server is hosted: the settings for a public link with unknown visitors.

Each is an environment variable, read once; on Streamlit Community Cloud and Hugging Face Spaces
they are the app's secrets or variables.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache

from wlm.errors import SettingError, allowed_unless, parse_whole

SWITCH = {"0": False, "1": True, "": False, "false": False, "true": True}
MOST_NOTE = 300  # characters


def _switch(variable: str, about: str):
    return field(default=False, metadata={"variable": variable, "about": about})


def _limit(variable: str, default: int, most: int, about: str):
    return field(default=default, metadata={"variable": variable, "most": most, "about": about})


@dataclass(frozen=True)
class Hosting:
    """The settings; limits and switches apply only if `public` is set, the note always."""

    public: bool = _switch("WLM_PUBLIC", "visitors are strangers: all that follows counts")
    note: str = field(
        default="",
        metadata={"variable": "WLM_HOST_NOTE", "about": "a line below the menu: who hosts this"},
    )
    fetching: bool = _switch("WLM_ALLOW_FETCH", "visitors may fetch WikiText-2 and weights")
    importing: bool = _switch("WLM_ALLOW_IMPORT", "visitors may import exported runs")
    uploading: bool = _switch("WLM_ALLOW_UPLOAD", "visitors may bring models and texts")
    runs_per_visitor: int = _limit(
        *("WLM_RUNS_PER_VISITOR", 30, 10_000),
        "runs that a visitor may start within an hour; each point of a sweep is one",
    )
    runs_per_address: int = _limit(
        *("WLM_RUNS_PER_ADDRESS", 120, 100_000),
        "the same for all visitors of one network address, such as a lecture hall's",
    )
    runs_per_server: int = _limit(
        "WLM_RUNS_PER_SERVER", 300, 100_000, "the same for all visitors of a server"
    )
    seconds: int = _limit(
        "WLM_RUN_SECONDS", 30, 86_400, "seconds that a run may measure; then it is ended"
    )
    variants: int = _limit("WLM_RUN_VARIANTS", 5, 8, "variants of a run")
    threads: int = _limit("WLM_RUN_THREADS", 2, 1024, "threads of a run")
    batch_size: int = _limit("WLM_RUN_BATCH", 64, 256, "batch size of a run")
    chunk: int = _limit("WLM_RUN_CHUNK", 2_000, 10_000, "chunk length times batch size of a run")
    hidden: int = _limit("WLM_RUN_HIDDEN", 512, 1024, "hidden size of random weights")
    log: bool = _switch("WLM_LOG", "log a line an event, also where visitors are no strangers")
    run_days: int = _limit("WLM_RUN_DAYS", 30, 3_650, "days for which runs are kept")

    def check_allowed(self, activity: str) -> None:
        """Raise SettingError if visitors may not do what a switch, given by name, allows."""
        if not self.allows(activity):
            (setting,) = (setting for setting in fields(self) if setting.name == activity)
            variable = setting.metadata["variable"]
            raise SettingError(
                f"{activity} is switched off on this server; its host may switch it on ({variable})"
            )

    def allows(self, activity: str) -> bool:
        """Tell whether visitors may do what a switch, given by name, allows."""
        return not self.public or getattr(self, activity)


@cache
def hosting() -> Hosting:
    """Return this process's settings. Raises SettingError."""
    return read(os.environ)


def read(environment: Mapping[str, str]) -> Hosting:
    """Read the settings from an environment.

    Raises SettingError, which names the variable, the allowed values and the value received.
    """
    values = {}
    for setting in fields(Hosting):
        text = environment.get(setting.metadata["variable"])
        if text is not None:
            values[setting.name] = _value(setting, text.strip())
    return Hosting(**values)


def settings() -> list[tuple[str, object, object, str]]:
    """Return each setting: its variable, its value here, its default, and its meaning. Raises
    SettingError."""
    here = hosting()
    return [
        (
            setting.metadata["variable"],
            getattr(here, setting.name),
            setting.default,
            setting.metadata["about"],
        )
        for setting in fields(Hosting)
    ]


def _value(setting, text: str):
    variable = setting.metadata["variable"]
    if isinstance(setting.default, bool):
        if text.lower() not in SWITCH:
            raise SettingError(f"{variable} must be 0 or 1, got {text[:80]!r}")
        return SWITCH[text.lower()]
    if isinstance(setting.default, str):
        if len(text) > MOST_NOTE:
            raise SettingError(
                f"{variable} must have at most {MOST_NOTE} characters, got {len(text):,}"
            )
        return text
    if allowed := allowed_unless(parse_whole(text), 1, setting.metadata["most"]):
        raise SettingError(f"{variable} must be {allowed}, got {text[:80]!r}")
    return int(text)
