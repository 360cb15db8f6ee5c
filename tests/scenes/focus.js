// Which of the elements that Tab stops at cannot be seen while it has the focus (WCAG 2.4.11);
// a list of sentences. Going forward an element comes into view at the lower edge, going back at
// the upper one: each is focused from both sides. That the keys really stop there is shown by
// tests/browser/test_keyboard.py.

() => {
  const root = document.querySelector("dialog:modal") ?? document.body; // the rest is inert
  const stops = [...root.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
    .filter((element) => element.tabIndex >= 0 && !element.matches(":disabled") && !element.closest("[inert]")
      && element.checkVisibility({ visibilityProperty: true }));
  const found = new Set();
  const isIn = (element, x, y) => element.contains(document.elementFromPoint(x, y));
  const named = (element) => {
    const words = (element.innerText || element.value || element.ariaLabel || element.id || "").trim().replace(/\s+/g, " ");
    return `<${element.localName}${element.className ? ` class="${element.className}"` : ""}> “${words.slice(0, 60)}”`;
  };

  // Part of each box is seen: some point of nine by five in what the window shows of it.
  function isSeen(element) {
    return [...element.getClientRects()].some((box) => {
      const [left, right] = [Math.max(box.left, 0), Math.min(box.right, innerWidth)];
      const [top, bottom] = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight)];
      if (left >= right || top >= bottom) return false;
      for (let i = 1; i < 10; i += 1) {
        for (let j = 1; j < 6; j += 1) {
          if (isIn(element, left + (right - left) * i / 10, top + (bottom - top) * j / 6)) return true;
        }
      }
      return false;
    });
  }

  for (const [way, order] of [["Tab", stops], ["Shift+Tab", stops.toReversed()]]) {
    document.activeElement.blur(); // what has the focus already is not scrolled to
    for (const element of order) {
      if (!element.isConnected) continue;
      element.focus();
      if (document.activeElement === element && !isSeen(element)) found.add(`hidden with the focus, by ${way}: ${named(element)}`);
    }
  }
  return [...found];
}
