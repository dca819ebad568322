"""Our own components' JavaScript, as Streamlit calls it."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
ALL = sorted(ROOT.glob("view/**/*.js"))
SCRIPTS = [path for path in ALL if "addEventListener" in path.read_text("utf-8")]

# Streamlit calls a component again when its data change. If they change twice at once, Streamlit
# ends the first call after the second has begun. Returns which call's listeners still listen.
TWO_CALLS = """async (script) => {
  const heard = [];
  const listen = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (type, listener, options) {
    if (options?.signal) heard.push(options.signal);
    return listen.call(this, type, listener, options);
  };
  const file = new Blob([script], { type: "text/javascript" });
  const { default: call } = await import(URL.createObjectURL(file));
  const parentElement = document.createElement("div");
  parentElement.append(document.createElement("pre"));
  document.body.append(parentElement);
  const data = { code: "", step: 1, last: 8, presenting: true, lines: [], zoom: 1 };
  const given = { data, parentElement, setStateValue() {} };
  const first = call(given);
  const firsts = heard.splice(0);
  const second = call(given);
  first();
  const hear = (signals) => signals.some((each) => !each.aborted);
  const during = [hear(firsts), hear(heard)];
  second();
  return [...during, hear(heard)];
}"""


def test_there_are_components():
    assert SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_an_outdated_call_that_ends_does_not_deafen_the_later_one(page, server, script):
    page.goto(f"{server}/_stcore/health")
    assert page.evaluate(TWO_CALLS, script.read_text("utf-8")) == [False, True, False]
