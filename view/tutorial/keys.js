// The keys that walk through the tour, a keyboard's and a clicker's. Each press counts, also before
// the step asked for is there: what is sent is the step that is wanted, not "one on".

const ON = ["ArrowRight", "PageDown", " "];
const BACK = ["ArrowLeft", "PageUp"];
const TAKEN = "input, textarea, select, [contenteditable=true], [role=menu], [role=listbox]";
const PATIENCE = 5000; // ms: a step that has not come by then was lost

let wanted = null; // the step asked for last, by a key
let listening;

export default function ({ data, parentElement, setTriggerValue }) {
  function shown() {
    // The address is there before the slide is, and this function's data after it.
    const step = Number(new URLSearchParams(location.search).get("step"));
    return 1 <= step && step <= data.last ? step : data.step;
  }

  function stepFor(key) {
    const asked = wanted && performance.now() < wanted.until ? wanted.step : shown();
    const first = key.startsWith("Arrow") || data.presenting; // the others scroll a long page
    if (first && ON.includes(key)) return Math.min(data.last, asked + 1);
    if (first && BACK.includes(key)) return Math.max(1, asked - 1);
    if (data.presenting && key === "Home") return 1;
    if (data.presenting && key === "End") return data.last;
  }

  const forget = () => (wanted = null);

  function press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    if (event.composedPath()[0].closest?.(TAKEN)) return;
    if (data.presenting && event.key === "Escape") {
      // A chart that fills the screen is what it leaves first.
      if (!document.querySelector("[aria-label='Close fullscreen']")) setTriggerValue("leave", true);
      return;
    }
    if (event.key === "Enter") forget(); // it may press any step's button
    const step = stepFor(event.key);
    if (!step) return;
    // Else Space presses the button that was clicked last, and arrows scroll.
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat) return;
    wanted = { step, until: performance.now() + PATIENCE };
    setTriggerValue("step", step);
  }

  listening?.abort();
  const ours = (listening = new AbortController());
  const options = { capture: true, signal: ours.signal };
  addEventListener("keydown", press, options);
  addEventListener("keyup", (event) => {
    if (data.presenting && event.key === " " && !event.composedPath()[0].closest?.(TAKEN))
      event.preventDefault(); // Firefox presses a button then
  }, options);
  addEventListener("pointerdown", forget, options);
  addEventListener("popstate", forget, options);
  parentElement.host?.toggleAttribute("data-hears-keys", true);
  return () => ours.abort(); // Streamlit may end an outdated call after a later one has begun
}
