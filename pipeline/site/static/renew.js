// For editors: has the page say what counts now, once somebody has said something, without loading it anew: in the
// transcript, on the line of time, and of the transcript as a whole. Questions that are being corrected are correct.js’s.
"use strict";

archive.renew = (() => {
  const TOLD = ["class", "title", "data-start", "data-end", "data-words"];

  // This page as it would be loaded now; null where the site does not answer with it.
  async function current() {
    try {
      const response = await fetch(location.pathname);
      return response.ok ? new DOMParser().parseFromString(await response.text(), "text/html") : null;
    } catch {
      return null;
    }
  }

  // A passage stays the same element, for others hold on to it.
  function update(passage, now) {
    const isMarked = passage.classList.contains("marked");
    for (const name of TOLD) {
      if (now.hasAttribute(name)) passage.setAttribute(name, now.getAttribute(name));
      else passage.removeAttribute(name);
    }
    passage.classList.toggle("marked", isMarked);
    if (passage.innerHTML !== now.innerHTML) passage.replaceChildren(...now.childNodes);
    now.replaceWith(passage);
  }

  function replace(selector, page) {
    const [old, now] = [document, page].map((from) => from.querySelector(selector));
    if (old && now) old.replaceWith(now);
  }

  // Gives the page as it is now, or null where this one could not be renewed. The form that is open in the transcript
  // stays open.
  return async () => {
    const page = await current();
    const [old, now] = [document, page].map((from) => from?.querySelector(".transcript"));
    const [passages, later] = [old, now].map((from) => [...(from?.querySelectorAll(".passage") ?? [])]);
    if (!now || passages.length !== later.length) return null;
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const box = document.getElementById("checking");
    const before = box?.previousElementSibling.querySelector(".passage");
    passages.forEach((passage, n) => update(passage, later[n]));
    old.replaceChildren(...now.childNodes);
    before?.closest("p").after(box);
    replace(".timeline", page);
    replace("#checked", page);
    focused?.focus({ preventScroll: true });
    return page;
  };
})();
