// The keys of the stage, a keyboard's and a clicker's: those of the tour. After each step of the
// room further keys are ignored for a while, so that a clicker pressed twice does not open a round
// and close it at once.

const ON = ["ArrowRight", "PageDown", " "];
const BACK = ["ArrowLeft", "PageUp"];
const TAKEN = "input, textarea, select, [contenteditable=true], [role=menu], [role=listbox]";
const QUIET = 2000; // ms

let step; // that is shown
let quietUntil = 0;
let listening;

export default function ({ data, parentElement, setTriggerValue }) {
  const host = parentElement.host;

  function beQuiet() {
    quietUntil = performance.now() + QUIET;
    host?.toggleAttribute("data-hears-keys", false);
    setTimeout(() => {
      if (performance.now() >= quietUntil) host?.toggleAttribute("data-hears-keys", true);
    }, QUIET + 10);
  }

  function press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    if (event.composedPath()[0].closest?.(TAKEN)) return;
    const asked = ON.includes(event.key) ? "on" : BACK.includes(event.key) ? "back" : "";
    if (!asked) return;
    // Else Space presses the button that was clicked last, and the page scrolls.
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat || performance.now() < quietUntil) return;
    beQuiet();
    setTriggerValue("press", { asked, step: data.step });
  }

  if (step !== undefined && step !== data.step) beQuiet();
  else if (performance.now() >= quietUntil) host?.toggleAttribute("data-hears-keys", true);
  step = data.step;
  listening?.abort();
  const ours = (listening = new AbortController());
  const options = { capture: true, signal: ours.signal };
  addEventListener("keydown", press, options);
  addEventListener("keyup", (event) => {
    if (event.key === " " && !event.composedPath()[0].closest?.(TAKEN))
      event.preventDefault(); // Firefox presses a button then
  }, options);
  return () => ours.abort(); // Streamlit may end an outdated call after a later one has begun
}
