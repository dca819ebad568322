// A text whose words are buttons: one tab stop, arrow keys move between words, Enter or a tap
// chooses one.

export default function ({ data, parentElement, setStateValue }) {
  const text = parentElement.querySelector(".text") ??
    parentElement.appendChild(Object.assign(document.createElement("div"), { className: "text" }));
  text.setAttribute("role", "group");
  text.setAttribute("aria-label", data.name);
  const buttons = [];
  text.replaceChildren(...data.lines.map(({ heading, words }) => {
    const line = document.createElement("p");
    line.classList.toggle("heading", heading);
    for (const { text, place, share, told } of words) {
      const piece = document.createElement(place ? "button" : "span");
      piece.textContent = text.trimStart();
      if (place) {
        piece.dataset.place = place;
        piece.style.setProperty("--share", `${100 * share}%`);
        piece.title = told;
        piece.setAttribute("aria-label", `${piece.textContent}: ${told}`);
        piece.tabIndex = -1;
        buttons.push(piece);
      }
      line.append(text.startsWith(" ") ? " " : "", piece);
    }
    return line;
  }));
  buttons.sort((one, other) => one.dataset.place - other.dataset.place);

  const choose = (chosen) => {
    for (const button of buttons) button.setAttribute("aria-pressed", button === chosen);
    for (const button of buttons) button.tabIndex = button === chosen ? 0 : -1;
  };
  choose(buttons.find(({ dataset }) => dataset.place == data.place) ?? buttons[0]);
  // Each call ends only its own listeners: the end of an earlier call may come after a later one.
  const listening = new AbortController();
  const { signal } = listening;
  text.addEventListener("click", ({ target }) => {
    if (!(target instanceof HTMLButtonElement)) return;
    choose(target);
    setStateValue("place", Number(target.dataset.place));
  }, { signal });
  text.addEventListener("keydown", (event) => {
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    const next = buttons[buttons.indexOf(event.target) + steps[event.key]];
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }, { signal });
  return () => listening.abort();
}
