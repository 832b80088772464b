// For editors: updates the page after something was recorded, without reloading it: the transcript, the timeline, and
// the facts about the transcript. correct.js updates the questions.
"use strict";

archive.renew = (() => {
  const TOLD = ["class", "title", "data-start", "data-end", "data-words"];

  // The current version of this page; null if it cannot be fetched.
  async function current() {
    try {
      const response = await fetch(location.pathname);
      return response.ok ? new DOMParser().parseFromString(await response.text(), "text/html") : null;
    } catch {
      return null;
    }
  }

  // Passages are updated in place, since other scripts keep references to them.
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

  // Returns the current version of the page, or null if this one could not be updated. An open form in the transcript
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
