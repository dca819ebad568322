// A word that travels once from stop to stop; a stop shows what it hands on when the word arrives.

const STEP = 700; // milliseconds from stop to stop

export default function ({ data, parentElement }) {
  const list = parentElement.querySelector("ol") ??
    parentElement.appendChild(document.createElement("ol"));
  const sent = JSON.stringify(data);
  if (list.dataset.sent === sent) return; // the page was drawn again, and nothing was sent
  list.dataset.sent = sent;
  list.setAttribute("aria-label", data.name);
  const stops = data.stops.map(({ stop, hands }) => {
    const item = document.createElement("li");
    for (const [tag, text] of [["strong", stop], ["span", hands]])
      item.appendChild(document.createElement(tag)).textContent = text;
    return item;
  });
  list.replaceChildren(...stops);
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;

  const word = list.appendChild(document.createElement("li"));
  word.className = "word";
  word.setAttribute("aria-hidden", "true");
  word.textContent = data.word;
  const places = stops.map(({ offsetLeft, offsetTop, offsetWidth }) => ({
    transform: `translate(${offsetLeft + (offsetWidth - word.offsetWidth) / 2}px, ${offsetTop}px)`,
  }));
  // It rests at each stop for half of a step.
  const frames = places.flatMap((place, i) => [
    { ...place, offset: i / places.length },
    { ...place, offset: (i + 0.5) / places.length },
  ]);
  const timing = { duration: STEP * places.length, fill: "both", easing: "linear" };
  word.animate(frames, timing).onfinish = () => word.remove();
  for (const [i, stop] of stops.entries())
    stop.lastElementChild.animate([{ opacity: 0 }, { opacity: 1 }], {
      duration: STEP / 2,
      delay: STEP * (i + 0.25),
      fill: "backwards",
    });
}
