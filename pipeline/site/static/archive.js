// On every page: parsing and formatting times and words, the page's single player with its buttons, and the keys.
// Without it everything can still be read, linked to and played.
"use strict";

// Parses a time as seconds: "192", "192.5", "3:12" or "1:02:03"; null if invalid.
function seconds(text) {
  const found = /^(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,6}(?:\.\d{0,9})?)s?$/.exec((text || "").trim());
  if (!found || (found[2] && Number(found[3]) >= 60) || (found[1] && Number(found[2]) >= 60)) return null;
  return Number(found[1] || 0) * 3600 + Number(found[2] || 0) * 60 + Number(found[3]);
}

// Formats a time to a hundredth of a second: "3:12.25".
function written(second) {
  const hundredths = Math.round(second * 100);
  const whole = Math.floor(hundredths / 100);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  const fraction = hundredths % 100 ? `.${two(hundredths % 100)}`.replace(/0$/, "") : "";
  return (hours ? `${hours}:${two(minutes)}` : minutes) + `:${two(rest)}${fraction}`;
}

// The words of a passage: their offsets in its text (in UTF-16 code units), and their times in seconds.
// Decodes what pipeline/site/spoken.py writes. If words have no times, the passage is treated as one word.
function archiveWords(passage) {
  const text = passage.querySelector(".text").textContent;
  const { start, end: last, words: given } = passage.dataset;
  if (!given) return [{ offset: 0, length: text.length, start: Number(start), end: Number(last) }];
  const numbers = given.split(" ").map(Number);
  const words = [];
  let offset = 0;
  let end = 0;
  for (let at = 0; at < numbers.length; at += 3) {
    offset += numbers[at];
    const begun = end + Math.round(numbers[at + 1] * 10); // milliseconds
    end = begun + Math.round(numbers[at + 2] * 10);
    words.push({ offset, start: begun / 1000, end: end / 1000 });
  }
  words.forEach((word, n) => {
    word.length = text.slice(word.offset, words[n + 1]?.offset).trimEnd().length;
  });
  return words;
}

// The number of characters of an element's text before a point of the page.
function archiveOffset(element, node, offset) {
  const before = document.createRange();
  before.setStart(element, 0);
  before.setEnd(node, offset);
  return before.toString().length;
}

// Whether a click is for this page: with the main button, and without a key that opens links elsewhere.
function isPlain(event) {
  return !(event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
}

// The name of a key; a letter is the same with Shift.
function keyOf(event) {
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

// Used by the scripts of single pages: the player, and the keys, to which they may add.
const archive = (() => {
  const SKIP = 5; // seconds
  const player = document.getElementById("player");
  const help = document.getElementById("keys");
  let wanted = null; // the second to seek to as soon as the player has loaded the metadata

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
    if (second !== undefined) seek(second);
    player?.play().catch(() => {}); // the browser may refuse; its own button remains
  }

  // Plays from a second on, or pauses the player.
  function hear(second) {
    if (player?.paused) play(second);
    else player?.pause();
  }

  function toggle() {
    if (player?.currentSrc) hear(); // else nothing is selected yet
  }

  function skip(by) {
    if (player?.currentSrc) seek(Math.max(0, (wanted ?? player.currentTime) + by));
  }

  function tell(message, problem = false, told = document.querySelector(".player .told")) {
    told.classList.toggle("problem", problem);
    told.textContent = message;
  }

  // Fetches JSON from the site; on failure returns an object with an error message.
  async function ask(address, options) {
    try {
      const response = await fetch(address, { ...options, headers: { Accept: "application/json" } });
      const isJson = response.headers.get("content-type")?.includes("json");
      return isJson ? await response.json() : { error: `the site answered ${response.status}; load the page again` };
    } catch {
      return { error: "the site did not answer" };
    }
  }

  const keys = {
    "/": () => document.querySelector("input[type=search]")?.focus(),
    "?": () => help?.showModal(),
    " ": toggle,
    k: toggle,
    ArrowLeft: () => skip(-SKIP),
    ArrowRight: () => skip(SKIP),
  };
  // Single-key shortcuts can be turned off, as speech input requires; the choice is stored, if the browser allows it.
  // The page's help on its keys is then hidden, too.
  const switched = document.getElementById("single-keys");
  const hasKeys = () => !document.body.classList.contains("keyless");
  const useKeys = (wanted) => document.body.classList.toggle("keyless", !wanted);
  try {
    useKeys(localStorage.getItem("interview-archive.keys") !== "off");
  } catch {} // storage is disabled
  if (switched) {
    switched.checked = hasKeys();
    switched.addEventListener("change", () => {
      useKeys(switched.checked);
      try {
        localStorage.setItem("interview-archive.keys", switched.checked ? "on" : "off");
      } catch {} // as above
    });
  }

  // Whether a key already has a meaning for the focused element.
  function isTaken(element, key) {
    if (element.closest("input:not([type=checkbox]), select, textarea, dialog, [contenteditable]")) return true;
    return (key === " " || key.startsWith("Arrow")) && element.closest("input, button, summary, audio") !== null;
  }

  document.addEventListener("keydown", (event) => {
    if (!hasKeys() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = keyOf(event);
    if (!(key in keys) || isTaken(event.target, key)) return;
    event.preventDefault();
    keys[key]();
  });

  for (const button of document.querySelectorAll("button.play")) {
    button.addEventListener("click", () => {
      const source = new URL(button.dataset.src, location.href).href;
      player.closest(".player").hidden = false;
      document.querySelector(".playing").textContent = button.dataset.title;
      if (player.src !== source) player.src = source;
      play(Number(button.dataset.t));
    });
  }
  for (const button of document.querySelectorAll("[data-skip]")) {
    button.addEventListener("click", () => skip(Number(button.dataset.skip)));
  }
  document.querySelector(".show-keys")?.addEventListener("click", () => help.showModal());
  document.querySelector(".speed")?.addEventListener("change", (event) => {
    // The default too, for the next recording.
    player.defaultPlaybackRate = player.playbackRate = Number(event.target.value);
  });
  player?.addEventListener("loadedmetadata", () => {
    if (wanted !== null) seek(wanted);
  });
  for (const hidden of document.querySelectorAll(".scripted")) hidden.hidden = false;
  return { player, keys, hasKeys, seek, play, hear, tell, ask };
})();
