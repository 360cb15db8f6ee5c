// The log of an active run grows at its end and is cut at its top. Neither may move the lines that
// the reader has scrolled to.

(() => {
  const LONGEST = 2_000_000; // characters; browsers scroll slowly through longer texts
  const isLog = (event) => ["log-text", "log-unfinished"].includes(event.detail.target.id);
  const box = () => document.querySelector(".log");

  // The box is reversed (column-reverse): scrollTop is 0 at the end and negative above it,
  // so text that is cut at the top moves nothing, and text that is added below moves what is shown.
  let heightBefore;
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (isLog(event)) heightBefore = box().scrollHeight;
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    if (!isLog(event)) return;
    const isFollowing = box().scrollTop > -1;
    if (!isFollowing) box().scrollTop -= box().scrollHeight - heightBefore;
    if (event.detail.target.id === "log-text") cut(event.detail.target);
  });

  function cut(text) {
    const excess = text.textContent.length - LONGEST;
    if (excess <= 0) return;
    const cutOff = untilLineAfter(text, excess);
    // Lines that are in view are kept until the log is twice as long as LONGEST.
    const isRead = cutOff.getBoundingClientRect().bottom > box().getBoundingClientRect().top;
    if (isRead && excess < LONGEST) return;
    cutOff.deleteContents();
    document.getElementById("log-cut").hidden = false;
  }

  // The range from the top of the log to the first line break after `count` characters.
  function untilLineAfter(text, count) {
    const range = document.createRange();
    range.setStart(text, 0);
    let left = count;
    const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const lineEnd = left < node.length ? node.data.indexOf("\n", Math.max(left - 1, 0)) : -1;
      if (lineEnd >= 0) {
        range.setEnd(node, lineEnd + 1);
        return range;
      }
      left = Math.max(left - node.length, 0);
    }
    range.setEnd(text, text.childNodes.length - 1); // a single long line: only its newest part stays
    return range;
  }
})();
