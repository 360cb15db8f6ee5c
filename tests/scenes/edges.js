// The widths in CSS pixels that the conditions of the page's style sheets name: of the window, and
// of containers, which are as wide as the window less what surrounds them at that width.

() => {
  const em = 16; // in conditions, that of the browser's own font size
  const lengths = (condition) => [...condition.matchAll(/([\d.]+)(px|rem|em)\b/g)]
    .map(([, number, unit]) => Math.round(Number(number) * (unit === "px" ? 1 : em)));
  const found = new Set();
  const read = (rules) => {
    for (const rule of rules) {
      if (rule instanceof CSSMediaRule && /width/.test(rule.conditionText)) lengths(rule.conditionText).forEach((width) => found.add(width));
      if (rule instanceof CSSContainerRule) {
        const margins = new Set([...document.querySelectorAll("*")]
          .filter((element) => getComputedStyle(element).containerType !== "normal")
          .map((element) => Math.ceil(innerWidth - element.clientWidth)));
        for (const width of lengths(rule.conditionText)) margins.forEach((margin) => found.add(width + margin));
      }
      if (rule.cssRules) read(rule.cssRules);
    }
  };
  [...document.styleSheets].forEach((sheet) => read(sheet.cssRules));
  return [...found];
}
