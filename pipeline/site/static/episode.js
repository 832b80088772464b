// On the episode page: scrolls to the time in the URL, highlights what is being said, and plays from where one clicks.
"use strict";

(() => {
  const { player, seek, play, tell } = archive;
  const passages = [...document.querySelectorAll(".passage")];
  const starts = passages.map((passage) => Number(passage.dataset.start));
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const goOn = document.querySelector(".go-on");
  const list = document.querySelector("section.questions");
  const ROUNDING = 0.1; // URLs contain tenths of a second
  let current = null; // the passage being spoken,
  let words = []; // its words,
  let spoken = null; // and the one that is highlighted
  let range = null; // the range marked by a link, until it has been played to its end
  let frame = 0;

  // Words are highlighted without elements of their own, of which an hour would have ten thousand. If the browser does
  // not support that, only the passage is highlighted.
  const shown = window.Highlight && CSS.highlights ? new Highlight() : null;
  if (shown) CSS.highlights.set("spoken", shown);

  // The range in the URL: #t= takes precedence over ?t=, as the narrower one. An end may follow after a comma.
  function pointedAt() {
    const fragment = new URLSearchParams(location.hash.slice(1)).get("t");
    const given = fragment ?? new URLSearchParams(location.search).get("t") ?? "";
    const [first, last] = given.split(",");
    const [start, end] = [seconds(first), seconds(last)];
    const until = end > start ? end : null;
    return { start: start === null || first.includes(".") ? start : begunAt(start, until), end: until };
  }

  // The start of the first passage that is displayed with this whole second, as the server determines it for ?t=.
  function begunAt(second, end) {
    const before = Math.min(second + 1, end ?? Infinity);
    return starts.find((start) => second <= start && start < before) ?? second;
  }

  function passageAt(second) {
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= second + ROUNDING) low = middle + 1;
      else high = middle;
    }
    return passages[low - 1] || null;
  }

  function show(element, block) {
    element.scrollIntoView({ block, behavior: calm ? "auto" : "smooth" });
  }

  function hasStarted() {
    return player.played.length > 0 || !player.paused;
  }

  function following() {
    return !player.paused && document.getElementById("follow")?.checked;
  }

  // The text node, and the offset in it, of a character of a passage's text.
  function place(passage, offset) {
    const nodes = document.createTreeWalker(passage.querySelector(".text"), NodeFilter.SHOW_TEXT);
    let node = nodes.nextNode();
    while (node && offset > node.length) {
      offset -= node.length;
      node = nodes.nextNode();
    }
    return [node, offset];
  }

  function showWord() {
    const second = player.currentTime;
    const word = current ? words.findLast(({ start }) => start <= second) : undefined;
    if (!shown || word === spoken) return;
    spoken = word;
    shown.clear();
    if (!word?.length) return;
    const text = document.createRange();
    text.setStart(...place(current, word.offset));
    text.setEnd(...place(current, word.offset + word.length));
    shown.add(text);
  }

  function showQuestion() {
    const second = player.currentTime;
    if (!list || !hasStarted()) return;
    const items = [...list.querySelectorAll("li[data-t]")]; // queried each time: corrections replace them
    const about = items.filter(({ dataset }) => dataset.t <= second + ROUNDING && second <= (dataset.end ?? Infinity));
    const last = Math.max(...about.map(({ dataset }) => Number(dataset.t)));
    for (const item of items) {
      const isCurrent = about.includes(item) && Number(item.dataset.t) === last;
      if (isCurrent === item.hasAttribute("aria-current")) continue;
      item.removeAttribute("aria-current");
      if (!isCurrent) continue;
      item.setAttribute("aria-current", "true");
      if (!list.matches(":hover, :focus-within")) scrollList(item); // otherwise somebody is using it
    }
  }

  // Scrolls the list to a question if it has a scrollbar of its own, and moves nothing else.
  function scrollList(item) {
    if (list.scrollHeight > list.clientHeight) list.scrollTop = item.offsetTop - list.clientHeight / 3;
  }

  function showSpoken() {
    if (!hasStarted()) return; // until then, the link's target is marked
    const passage = passageAt(player.currentTime);
    const next = passage && player.currentTime <= Number(passage.dataset.end) + 1 ? passage : null;
    if (next !== current) {
      current?.removeAttribute("aria-current");
      current = next;
      words = current ? archiveWords(current) : [];
      current?.setAttribute("aria-current", "true");
      if (current && following()) show(current, "center");
    }
    showWord();
  }

  function stopAtEnd() {
    if (!range || player.paused || player.currentTime < range.end) return;
    player.pause();
    tell(`Stopped at ${written(range.end)}, where the marked passage ends.`);
    goOn.hidden = false;
    range = null;
  }

  function eachFrame() {
    showSpoken();
    stopAtEnd();
    frame = player.paused ? 0 : requestAnimationFrame(eachFrame);
  }

  function mark({ start, end }) {
    if (start > Number(passages.at(-1).dataset.end) + ROUNDING) return; // nothing is said there
    const first = passageAt(start) ?? passages[0];
    const before = document.querySelector(".passage.marked");
    for (const passage of document.querySelectorAll(".passage.marked")) passage.classList.remove("marked");
    const last = end === null ? first : (passageAt(end - 2 * ROUNDING) ?? first);
    for (const passage of passages.slice(passages.indexOf(first), passages.indexOf(last) + 1)) {
      passage.classList.add("marked");
    }
    if (before !== first) first.querySelector(".time").focus({ preventScroll: true }); // as the page does for ?t=
    first.scrollIntoView({ block: "center" });
  }

  // The start time of the word at a point of a passage's text.
  function wordTime(passage, x, y) {
    let node;
    let offset;
    if (document.caretPositionFromPoint) {
      const caret = document.caretPositionFromPoint(x, y);
      [node, offset] = [caret?.offsetNode, caret?.offset];
    } else {
      const caret = document.caretRangeFromPoint?.(x, y);
      [node, offset] = [caret?.startContainer, caret?.startOffset];
    }
    const text = passage.querySelector(".text");
    if (!node || !text.contains(node)) return Number(passage.dataset.start);
    const at = archiveOffset(text, node, offset);
    return (archiveWords(passage).findLast((word) => word.offset <= at) ?? archiveWords(passage)[0]).start;
  }

  function openAt() {
    const number = /^#q(\d+)$/.exec(location.hash)?.[1];
    const question = number ? document.getElementById(`question-${number}`) : null;
    const pointed = question ? { start: seconds(question.dataset.t), end: null } : pointedAt();
    if (!passages.length || pointed.start === null) return;
    seek(pointed.start);
    range = pointed.end === null ? null : pointed;
    mark(pointed);
    if (question) scrollList(question);
  }

  document.addEventListener("click", (event) => {
    if (!player || !isPlain(event)) return;
    const link = event.target.closest("a[data-t]");
    if (link) {
      event.preventDefault();
      if (link.search) history.replaceState(null, "", link.href);
      const second = Number(link.dataset.t);
      play(second);
      // The transcript may be far from the list of questions.
      if (!link.closest(".passage") && passages.length) show(passageAt(second) ?? passages[0], "center");
      return;
    }
    const passage = event.target.closest(".passage .text")?.parentElement;
    if (passage && getSelection().isCollapsed) play(wordTime(passage, event.clientX, event.clientY));
  });

  if (player) {
    document.body.classList.add("can-seek");
    // The end in the player's URL is for browsers without scripts; here it would stop playback a second time.
    if (/#.*,/.test(player.src)) player.src = player.src.replace(/,[^,]*$/, "");
    for (const name of ["timeupdate", "seeked", "play"]) {
      player.addEventListener(name, () => {
        showSpoken(); // here too: there are no animation frames while the page is in the background
        showQuestion();
        stopAtEnd();
      });
    }
    player.addEventListener("play", () => {
      if (!goOn.hidden) tell("");
      goOn.hidden = true;
      if (!frame) frame = requestAnimationFrame(eachFrame);
    });
    player.addEventListener("seeking", () => {
      const inside = range && player.currentTime >= range.start - 2 * ROUNDING && player.currentTime <= range.end;
      if (!inside) range = null;
    });
    goOn.addEventListener("click", () => play());
  }
  addEventListener("hashchange", openAt);
  openAt();
})();
