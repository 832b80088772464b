// Makes the times, the words and the Play buttons drive the one player of a page. Without it everything can still be
// read, linked to and played.
"use strict";

// A time as the site reads it, in seconds: "192", "192.5", "3:12" or "1:02:03"; null if it is none. Editors' script has
// use for it too.
function seconds(text) {
  const found = /^(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,6}(?:\.\d{0,9})?)s?$/.exec((text || "").trim());
  if (!found || (found[2] && Number(found[3]) >= 60) || (found[1] && Number(found[2]) >= 60)) return null;
  return Number(found[1] || 0) * 3600 + Number(found[2] || 0) * 60 + Number(found[3]);
}

(() => {
  const player = document.getElementById("player");
  const passages = [...document.querySelectorAll(".passage")];
  const starts = passages.map((passage) => Number(passage.dataset.start));
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let wanted = null; // the second to go to as soon as the player knows the recording
  let current = null; // the passage being spoken

  // The address as the page was opened: #t= wins over ?t=, as the narrower of the two. What follows a comma is an end,
  // which is not kept.
  function pointedAt() {
    const fragment = new URLSearchParams(location.hash.slice(1)).get("t");
    return seconds((fragment ?? new URLSearchParams(location.search).get("t") ?? "").split(",")[0]);
  }

  function seek(second) {
    if (!player) return;
    if (player.readyState >= HTMLMediaElement.HAVE_METADATA) {
      wanted = null;
      player.currentTime = second;
    } else {
      wanted = second;
      if (player.preload === "none") player.load();
    }
  }

  function play(second) {
    seek(second);
    player.play().catch(() => {}); // the browser may refuse; its own button is there
  }

  function passageAt(second) {
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= second + 0.1) low = middle + 1;
      else high = middle;
    }
    return passages[low - 1] || null;
  }

  function show(passage, block) {
    passage.scrollIntoView({ block, behavior: calm ? "auto" : "smooth" });
  }

  function highlight() {
    const spoken = passageAt(player.currentTime);
    const started = player.played.length > 0 || !player.paused; // before that, what the link points to is marked
    const next = spoken && started && player.currentTime <= Number(spoken.dataset.end) + 1 ? spoken : null;
    if (next === current) return;
    current?.removeAttribute("aria-current");
    current = next;
    current?.setAttribute("aria-current", "true");
    if (current && !player.paused && document.getElementById("follow")?.checked) show(current, "center");
  }

  function mark(second) {
    const passage = passageAt(second);
    if (!passage) return;
    const before = document.querySelector(".passage.marked");
    if (before !== passage) {
      before?.classList.remove("marked");
      passage.classList.add("marked");
      passage.querySelector(".time").focus({ preventScroll: true }); // as the page does itself for ?t=
    }
    passage.scrollIntoView({ block: "center" });
  }

  // The second of the word at a point of a passage's text.
  function wordTime(passage, x, y) {
    let node;
    let offset;
    if (document.caretPositionFromPoint) {
      const caret = document.caretPositionFromPoint(x, y);
      [node, offset] = [caret?.offsetNode, caret?.offset];
    } else {
      const range = document.caretRangeFromPoint?.(x, y);
      [node, offset] = [range?.startContainer, range?.startOffset];
    }
    const start = Number(passage.dataset.start);
    if (!node || node !== passage.querySelector(".text").firstChild) return start;
    // Offsets in data-words count characters; JavaScript counts UTF-16 units.
    const characters = [...node.data.slice(0, offset)].length;
    const words = passage.dataset.words.trim().split(" ").map((pair) => pair.split(":").map(Number));
    return words.reduce((time, [place, at]) => (place <= characters ? at : time), start);
  }

  function openAt() {
    if (!passages.length) return;
    const question = /^#q\d+$/.test(location.hash) ? document.getElementById(location.hash.slice(1)) : null;
    const second = question ? seconds(question.dataset.t) : pointedAt();
    if (second === null) return;
    seek(second);
    if (!question) mark(second);
  }

  document.addEventListener("click", (event) => {
    if (!player || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest("a[data-t]");
    if (link) {
      event.preventDefault();
      if (link.search) history.replaceState(null, "", link.href);
      const second = Number(link.dataset.t);
      play(second);
      // From the list of questions the transcript may be far away.
      if (!link.closest(".passage") && passages.length) show(passageAt(second) ?? passages[0], "center");
      return;
    }
    const passage = event.target.closest(".passage .text")?.parentElement;
    if (passage && getSelection().isCollapsed) play(wordTime(passage, event.clientX, event.clientY));
  });

  for (const button of document.querySelectorAll("button.play")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const source = new URL(button.dataset.src, location.href).href;
      player.closest(".player").hidden = false;
      document.querySelector(".playing").textContent = button.dataset.title;
      if (player.src !== source) player.src = source;
      play(Number(button.dataset.t));
    });
  }

  if (player) {
    document.body.classList.add("can-seek");
    player.addEventListener("loadedmetadata", () => {
      if (wanted !== null) seek(wanted);
    });
    for (const name of ["timeupdate", "seeked", "play"]) player.addEventListener(name, highlight);
    for (const label of document.querySelectorAll(".follow")) label.hidden = false;
  }
  addEventListener("hashchange", openAt);
  openAt();
})();
