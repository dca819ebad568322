// Code for a lecture hall: as large as fits below its top edge. The arrows up and down scroll longer
// code.

const LARGEST = 28, SMALLEST = 14, MARGIN = 48; // sixteenths of the base font size
const SCROLLED = { ArrowDown: 1, ArrowUp: -1 };
const TOKENS =
  /(?<text>"[^"]*"|'[^']*')|(?<note>#.*)|\b(?<word>from|import|for|in|print|None|True|False)\b/g;

let listening;

function line(code) {
  const line = document.createElement("div");
  let end = 0;
  for (const found of code.matchAll(TOKENS)) {
    const token = document.createElement("span");
    token.className = Object.keys(found.groups).find((kind) => found.groups[kind]);
    token.textContent = found[0];
    line.append(code.slice(end, found.index), token);
    end = found.index + found[0].length;
  }
  line.append(code.slice(end) || (end ? "" : " "));
  return line;
}

export default function ({ data, parentElement }) {
  const pre = parentElement.querySelector("pre");
  pre.replaceChildren(...data.code.trimEnd().split("\n").map(line));

  function fit() {
    const unit = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    const room = Math.max(200, innerHeight - pre.getBoundingClientRect().top - MARGIN * unit);
    pre.style.maxHeight = `${room}px`;
    for (let size = LARGEST; size >= SMALLEST; size--) {
      pre.style.fontSize = `${size * unit}px`;
      if (pre.scrollHeight <= room) break;
    }
  }

  function scroll(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    if (!(event.key in SCROLLED)) return;
    event.preventDefault();
    pre.scrollBy({ top: (SCROLLED[event.key] * pre.clientHeight) / 4 });
  }

  listening?.abort();
  const ours = (listening = new AbortController());
  const options = { signal: ours.signal };
  addEventListener("resize", fit, options);
  addEventListener("keydown", scroll, options);
  fit();
  return () => ours.abort(); // Streamlit may end an outdated call after a later one has begun
}
