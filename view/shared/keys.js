// Keys that walk through steps, a keyboard's and a clicker's. What is sent is the step that is
// wanted, not "one on".
//
// Presses add up, also before the step asked for is there. If steps go one at a time, keys are
// ignored for a while after each step, so that a clicker pressed twice does not go two steps.

const TAKEN = "input, textarea, select, [contenteditable=true], [role=menu], [role=listbox]";
const PATIENCE = 5000; // ms: a step that has not come by then was lost
const QUIET = 2000; // ms after each step, if steps go one at a time

let wanted = null; // the step asked for last, by a key
let shown; // the last step that went one at a time
let quietUntil = 0;
let listening;

export default function ({ data, parentElement, setTriggerValue }) {
  const host = parentElement.host;

  function showHearing() {
    if (performance.now() >= quietUntil) host?.toggleAttribute("data-hears-keys", true);
  }

  function beQuiet() {
    quietUntil = performance.now() + QUIET;
    host?.toggleAttribute("data-hears-keys", false);
    setTimeout(showHearing, QUIET + 10);
  }

  function here() {
    if (data.oneAtATime) return data.step;
    if (wanted && performance.now() < wanted.until) return wanted.step;
    // The address is there before the slide is, and this function's data after it.
    const step = Number(new URLSearchParams(location.search).get("step"));
    return 1 <= step && step <= data.last ? step : data.step;
  }

  const forget = () => (wanted = null);

  function press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    if (event.composedPath()[0].closest?.(TAKEN)) return;
    if (data.leaves && event.key === "Escape") {
      // A chart that fills the screen is what it leaves first.
      if (!document.querySelector("[aria-label='Close fullscreen']")) setTriggerValue("leave", true);
      return;
    }
    if (event.key === "Enter") forget(); // it may press any step's button
    if (!(event.key in data.moves)) return;
    // Else Space presses the button that was clicked last, and arrows scroll.
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat || performance.now() < quietUntil) return;
    const step = Math.min(data.last, Math.max(1, here() + data.moves[event.key]));
    if (data.oneAtATime) beQuiet();
    else wanted = { step, until: performance.now() + PATIENCE };
    setTriggerValue("step", step);
  }

  if (!data.oneAtATime) quietUntil = 0;
  else if (shown !== undefined && shown !== data.step) beQuiet();
  shown = data.oneAtATime ? data.step : undefined;
  showHearing();
  listening?.abort();
  const ours = (listening = new AbortController());
  const options = { capture: true, signal: ours.signal };
  addEventListener("keydown", press, options);
  addEventListener("keyup", (event) => {
    if (event.key in data.moves && event.key === " " && !event.composedPath()[0].closest?.(TAKEN))
      event.preventDefault(); // Firefox presses a button then
  }, options);
  addEventListener("pointerdown", forget, options);
  addEventListener("popstate", forget, options);
  return () => ours.abort(); // Streamlit may end an outdated call after a later one has begun
}
