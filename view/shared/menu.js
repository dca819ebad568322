// On a phone the menu covers the page. A page chosen in it closes it, as a press beside it does;
// where there is room for both, Streamlit leaves it open.

let listening;

export default function () {
  listening?.abort();
  const ours = (listening = new AbortController());
  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-testid=stSidebar] [data-testid=stPageLink]"))
      document
        .querySelector("[data-testid=stMain]")
        .dispatchEvent(new MouseEvent("mousedown", { bubbles: true }));
  }, { signal: ours.signal });
  return () => ours.abort(); // Streamlit may end an outdated call after a later one has begun
}
