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

  // Only a status that nobody knows may be too long for a line.
  for (const status of all(".status:not([data-unknown])")) {
    const { height } = status.getBoundingClientRect();
    if (height > 1.7 * parseFloat(getComputedStyle(status).lineHeight)) found.push(`broken: ${named(status)}`);
  }

  const counts = Map.groupBy(document.querySelectorAll("[id]"), (element) => element.id);
  for (const [id, elements] of counts) if (elements.length > 1) found.push(`twice: id="${id}"`);

  // What people write may run from right to left, and stands in its own direction everywhere.
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (!/\p{Script=Hebrew}|\p{Script=Arabic}/u.test(data) || parentElement.closest("bdi, [dir=auto]")) continue;
    if (getComputedStyle(parentElement).unicodeBidi !== "plaintext") found.push(`direction: “${data.trim().slice(0, 60)}”`);
  }
  for (const field of all("input:not([dir=auto]), textarea:not([dir=auto])")) {
    if (/\p{Script=Hebrew}|\p{Script=Arabic}/u.test(field.value)) found.push(`direction: ${named(field)}`);
  }

  if (!byFinger) return found;

  // The specification's 44 px for every control, and every link but those in a sentence.
  const CONTROLS = "button, .button, summary, input:not([type=hidden]), select, textarea, [role=button]";
  const targets = all(`${CONTROLS}, a[href]`).filter((element) => element.getBoundingClientRect().bottom > 0);
  for (const target of targets) {
    // A small box with its words beside it is pressed on the words too.
    const label = target.matches("[type=radio], [type=checkbox]") && target.closest("label");
    const box = (label || target).getBoundingClientRect();
    const isInSentence = getComputedStyle(target).display === "inline"
      && target.parentElement.innerText.trim() !== target.innerText.trim();
    if (isInSentence && !target.matches(CONTROLS)) continue;
    // Of half a pixel nobody misses anything: layouts round.
    if (box.width < 43.5 || box.height < 43.5) found.push(`small: ${named(target)} is ${size(box)} px`);
  }

  const floating = all(".trigger-run").find((element) => getComputedStyle(element).position === "fixed");
  if (floating && root === document.body) {
    const before = scrollY;
    scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
    const button = floating.getBoundingClientRect();
    const covers = (box) => box.left < button.right && box.right > button.left
      && box.top < button.bottom && box.bottom > button.top && box.width > 0;
    const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (words.nextNode()) {
      const text = words.currentNode;
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
