// Code for a lecture hall: as large as fits below its top edge.

const LARGEST = 28, SMALLEST = 15; // px
const TOKENS =
  /(?<text>"[^"]*"|'[^']*')|(?<note>#.*)|\b(?<word>from|import|for|in|print|None|True|False)\b/g;

let resizing;

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
    const room = Math.max(200, innerHeight - pre.getBoundingClientRect().top - 48);
    pre.style.maxHeight = `${room}px`;
    for (let size = LARGEST; size >= SMALLEST; size--) {
      pre.style.fontSize = `${size}px`;
      if (pre.scrollHeight <= room) break;
    }
  }
  resizing?.abort();
  const ours = (resizing = new AbortController());
  addEventListener("resize", fit, { signal: ours.signal });
  fit();
  return () => ours.abort(); // Streamlit may end an outdated call after a later one has begun
}
