// On the search page: keys for moving between hits, playing a hit, and copying its citation.
"use strict";

(() => {
  const { player, keys } = archive;
  const hits = [...document.querySelectorAll(".hit")];
  let chosen = null;

  // Where there is room beside the hits, how they spread is open from the start.
  const spread = document.querySelector(".spread");
  if (spread && matchMedia("(min-width: 60rem)").matches) spread.open = true;

  function move(by) {
    const at = hits.findIndex((hit) => hit.contains(document.activeElement));
    const from = at < 0 ? hits.indexOf(chosen) : at;
    hits[Math.min(Math.max(from + by, 0), hits.length - 1)]?.querySelector("a.time").focus();
  }

  function choose(act) {
    const hit = document.activeElement.closest(".hit") ?? chosen ?? hits[0];
    if (hit) act(hit);
  }

  document.addEventListener("focusin", (event) => {
    const hit = event.target.closest(".hit");
    if (!hit) return;
    chosen?.classList.remove("chosen");
    chosen = hit;
    chosen.classList.add("chosen");
  });

  Object.assign(keys, {
    j: () => move(1),
    k: () => move(-1),
    p: () =>
      choose((hit) => {
        const isHeard = player && !player.paused && hit.classList.contains("heard");
        if (isHeard) player.pause();
        else hit.querySelector("button.play")?.click();
      }),
    c: () =>
      choose((hit) => {
        const url = hit.querySelector("[data-quote]")?.dataset.quote;
        if (url) document.dispatchEvent(new CustomEvent("cite", { detail: { url } }));
      }),
  });

  for (const hit of hits) {
    hit.querySelector("button.play")?.addEventListener("click", () => {
      for (const other of document.querySelectorAll(".heard")) other.classList.remove("heard");
      hit.classList.add("heard");
    });
  }
})();
