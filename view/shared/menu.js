// On a phone the menu covers the page. A page chosen in it closes it, as a press beside it does;
// where there is room for both, Streamlit leaves it open.

let listening;

export default function () {
  listening?.abort();
  listening = new AbortController();
  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-testid=stSidebar] [data-testid=stPageLink]"))
      document
        .querySelector("[data-testid=stMain]")
        .dispatchEvent(new MouseEvent("mousedown", { bubbles: true }));
  }, { signal: listening.signal });
  return () => listening.abort();
}
