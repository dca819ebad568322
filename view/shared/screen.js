// Tells the server how many times as large type is on this screen, for charts.

const BASE = 16; // px: Streamlit's base font size
const PAUSE = 200; // ms without a change of the window's size

let listening;

export default function ({ data, setStateValue }) {
  let waiting;

  function report() {
    const size = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const zoom = Math.round((1000 * size) / BASE) / 1000;
    if (zoom !== data.zoom) setStateValue("zoom", zoom);
  }

  listening?.abort();
  const ours = (listening = new AbortController());
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(report, PAUSE);
  }, { signal: ours.signal });
  report();
  return () => ours.abort(); // Streamlit may end an outdated call after a later one has begun
}
