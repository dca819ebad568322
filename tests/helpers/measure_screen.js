// What a lecture hall sees of a page: its smallest visible type and its lowest edge, as shares of
// the screen's height, and the height that it needs and has.
(page) => {
  let smallest = Infinity, words = "", lowest = 0;

  function measure(root) {
    const nodes = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (nodes.nextNode()) {
      const text = nodes.currentNode.data.trim(), parent = nodes.currentNode.parentElement;
      if (!text || !parent.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
        continue;
      const range = document.createRange();
      range.selectNode(nodes.currentNode);
      const { width, bottom } = range.getBoundingClientRect();
      if (width < 2) continue; // for screen readers only
      const size = parseFloat(getComputedStyle(parent).fontSize) * parent.currentCSSZoom;
      if (size < smallest) [smallest, words] = [size, text];
      lowest = Math.max(lowest, bottom);
    }
    for (const host of root.querySelectorAll("*")) if (host.shadowRoot) measure(host.shadowRoot);
  }

  measure(page);
  for (const picture of page.querySelectorAll("svg.marks, img"))
    lowest = Math.max(lowest, picture.getBoundingClientRect().bottom);
  return {
    smallest: smallest / innerHeight,
    words,
    lowest: lowest / innerHeight,
    needed: page.scrollHeight,
    room: page.clientHeight,
  };
}
