// What is wrong with where things are on a page; a list of sentences. Takes whether fingers press.

(byFinger) => {
  const found = [];
  const isShown = (element) =>
    element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !element.closest(".visually-hidden");
  const root = document.querySelector("dialog[open]") ?? document.body; // the rest is inert
  const all = (selector) => [...root.querySelectorAll(selector)].filter(isShown);
  const named = (element) => {
    const words = (element.innerText || element.value || element.id || "").trim().replace(/\s+/g, " ");
    return `<${element.localName}${element.className ? ` class="${element.className}"` : ""}> “${words.slice(0, 60)}”`;
  };
  const size = (box) => `${Math.round(box.width * 10) / 10}×${Math.round(box.height * 10) / 10}`;

  for (const box of [document.documentElement, document.querySelector("dialog[open]")]) {
    if (box && box.scrollWidth > box.clientWidth) {
      found.push(`sideways: ${box.localName} is ${box.scrollWidth} px wide in ${box.clientWidth}`);
    }
  }

  const counts = Map.groupBy(document.querySelectorAll("[id]"), (element) => element.id);
  for (const [id, elements] of counts) if (elements.length > 1) found.push(`twice: id="${id}"`);

  if (!byFinger) return found;

  // The specification's 44 px for whatever looks like a control; WCAG 2.5.8 for links in text.
  const CONTROLS = "button, .button, summary, input:not([type=hidden]), select, textarea, [role=button]";
  const targets = all(`${CONTROLS}, a[href]`).filter((element) => element.getBoundingClientRect().bottom > 0);
  const centre = ({ x, y, width, height }) => [x + width / 2, y + height / 2];
  for (const target of targets) {
    const box = target.getBoundingClientRect();
    if (target.matches(CONTROLS)) {
      // Of half a pixel nobody misses anything: layouts round.
      if (box.width < 43.5 || box.height < 43.5) found.push(`small: ${named(target)} is ${size(box)} px`);
      continue;
    }
    const isInSentence = getComputedStyle(target).display === "inline"
      && target.parentElement.innerText.trim() !== target.innerText.trim();
    if (isInSentence || (box.width >= 24 && box.height >= 24)) continue;
    const [x, y] = centre(box);
    const near = targets.find((other) => {
      if (other === target) return false;
      const { left, right, top, bottom } = other.getBoundingClientRect();
      return Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom)) < 12;
    });
    if (near) found.push(`crowded: ${named(target)} is ${size(box)} px, too near to ${named(near)}`);
  }

  const floating = all(".trigger-run").find((element) => getComputedStyle(element).position === "fixed");
  if (floating && root === document.body) {
    const before = scrollY;
    scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
    const button = floating.getBoundingClientRect();
    const covers = (box) => box.left < button.right && box.right > button.left
      && box.top < button.bottom && box.bottom > button.top && box.width > 0;
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const text = texts.currentNode;
      const parent = text.parentElement;
      if (!text.data.trim() || !parent.closest("main, footer") || floating.contains(parent) || !isShown(parent)) continue;
      const range = document.createRange();
      range.selectNodeContents(text);
      if ([...range.getClientRects()].some(covers)) found.push(`covered: ${named(parent)} at the end of the page`);
    }
    for (const target of targets) {
      if (!floating.contains(target) && covers(target.getBoundingClientRect())) found.push(`covered: ${named(target)} at the end of the page`);
    }
    scrollTo({ top: before, behavior: "instant" });
  }
  return found;
}
