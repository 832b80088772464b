// Citations: selected words of a transcript, or a hit, as text to paste. Without it a hit's “Cite” link leads to the page
// of its quotation, where the same text can be selected.
//
// Other scripts can copy a citation: document.dispatchEvent(new CustomEvent("cite", { detail: { url } })), where url is
// that of a quotation's page.
"use strict";

(() => {
  const transcript = document.querySelector(".transcript[data-quotes]");

  // The clipboard contents of each form of a citation. HTML also has a plain-text version, for programs that do not
  // accept markup.
  const FORMS = {
    text: (card) => ({ "text/plain": card.citation.text }),
    markdown: (card) => ({ "text/plain": card.citation.markdown }),
    html: (card) => ({ "text/html": card.citation.html, "text/plain": card.citation.text }),
    url: (card) => ({ "text/plain": card.url }),
  };
  const DONE = { text: "Text copied", markdown: "Markdown copied", html: "HTML copied", url: "Link copied" };

  async function fetched(url) {
    const address = new URL(url, location.href);
    address.pathname += ".json";
    const response = await fetch(address);
    const card = await response.json().catch(() => ({ error: `the site answered ${response.status}` }));
    if (!response.ok) throw new Error(card.error);
    return card;
  }

  // Contents may be promises: copying may require a user gesture, which would expire during a fetch.
  async function copy(contents) {
    const blobs = Object.entries(contents).map(([type, content]) => [
      type,
      Promise.resolve(content).then((said) => new Blob([said], { type })),
    ]);
    await navigator.clipboard.write([new ClipboardItem(Object.fromEntries(blobs))]);
  }

  async function copyForm(card, form, box, told) {
    const contents = FORMS[form](card);
    try {
      await copy(contents);
      told.textContent = DONE[form];
    } catch {
      // Over plain HTTP there is no clipboard access.
      if (box) {
        box.value = contents["text/html"] ?? contents["text/plain"];
        box.select();
      }
      told.textContent = "Your browser does not let this page copy: the text is selected, copy it from there.";
    }
  }

  // The citation card, a dialog.
  function element(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  const said = element("div", { className: "remarks" });
  const box = element("textarea", { readOnly: true, rows: 12, spellcheck: false });
  box.setAttribute("aria-label", "Citation");
  const told = element("p", { className: "copied" });
  told.setAttribute("role", "status");
  const buttons = element("p", { className: "copy" });
  const ways = element("p", { className: "facts" });
  const close = element("button", { type: "button", textContent: "Close" });
  const title = element("h2", { id: "cite-title", textContent: "Cite this" });
  const dialog = element("dialog", { className: "cite" }, title, said, box, buttons, told, ways, close);
  dialog.setAttribute("aria-labelledby", title.id);
  close.addEventListener("click", () => dialog.close());

  function fill(card) {
    box.value = card.citation.text;
    const remarks = [
      card.flags.length && "The machine itself was not sure of this passage.",
      card.others.length && "The archive has another wording of it: see the quotation’s page.",
      !card.works_elsewhere && "The link works on this computer only.",
    ].filter(Boolean);
    said.hidden = !remarks.length;
    said.textContent = remarks.join(" ");
    const labels = { text: "Copy text", markdown: "Copy Markdown", html: "Copy HTML", url: "Copy link" };
    buttons.replaceChildren(
      ...Object.entries(labels).map(([form, textContent]) => {
        const button = element("button", { type: "button", textContent, autofocus: form === "text" });
        button.addEventListener("click", () => copyForm(card, form, box, told));
        return button;
      }),
    );
    ways.replaceChildren(element("a", { href: card.url, textContent: "The quotation’s page" }));
    if (card.sentences) {
      const whole = element("button", { type: "button", textContent: "The whole sentence" });
      whole.addEventListener("click", () => show(card.sentences));
      ways.append(whole);
    }
    if (card.clip) ways.append(element("a", { href: card.clip, textContent: "Its audio as a clip", download: "" }));
  }

  async function show(url) {
    told.textContent = "";
    try {
      fill(await fetched(url));
    } catch (error) {
      tell(`It cannot be cited: ${error.message}`);
      return;
    }
    if (!dialog.open) dialog.showModal();
  }

  // For messages without a dialog; it always exists, so that screen readers announce its changes.
  const toast = element("p", { className: "toast" });
  toast.setAttribute("aria-live", "polite");
  let timer;

  function tell(message) {
    toast.textContent = message;
    clearTimeout(timer);
    timer = setTimeout(() => (toast.textContent = ""), 4000);
  }

  document.addEventListener("cite", async (event) => {
    try {
      await copy({ "text/plain": fetched(event.detail.url).then((card) => card.citation.text) });
      tell("Citation copied");
    } catch {
      show(event.detail.url);
    }
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-quote]");
    if (!link || !isPlain(event)) return;
    event.preventDefault();
    show(link.dataset.quote);
  });

  // The selected words of the transcript, including partly selected ones.
  function selected() {
    const selection = getSelection();
    if (!transcript || selection.isCollapsed || !selection.rangeCount) return [];
    const range = selection.getRangeAt(0);
    return [...transcript.querySelectorAll(".passage .text")]
      .filter((text) => range.intersectsNode(text))
      .flatMap((text) => {
        const holds = (node) => text.contains(node);
        const from = holds(range.startContainer) ? archiveOffset(text, range.startContainer, range.startOffset) : 0;
        const to = holds(range.endContainer) ? archiveOffset(text, range.endContainer, range.endOffset) : Infinity;
        return archiveWords(text.closest(".passage")).filter(({ offset, length }) => offset < to && offset + length > from);
      });
  }

  function addressOf(chosen) {
    const first = Math.round(chosen[0].start * 1000);
    const last = Math.round(chosen.at(-1).end * 1000);
    return `${transcript.dataset.quotes}${first}-${last}?e=${encodeURIComponent(transcript.dataset.episode)}`;
  }

  function quoteSelection() {
    const chosen = selected();
    if (chosen.length) show(addressOf(chosen));
  }

  if (transcript) {
    const button = element("button", { type: "button", className: "quote", textContent: "Quote", hidden: true });
    button.title = "Cite the selected words (key: q)";
    document.body.append(button);
    button.addEventListener("pointerdown", (event) => event.preventDefault()); // it would clear the selection
    button.addEventListener("click", quoteSelection);
    let settled;
    document.addEventListener("selectionchange", () => {
      clearTimeout(settled);
      settled = setTimeout(() => {
        button.hidden = !selected().length;
        if (button.hidden) return;
        const { right, bottom } = [...getSelection().getRangeAt(0).getClientRects()].at(-1);
        const widest = document.documentElement.clientWidth - button.offsetWidth - 8;
        button.style.left = `${Math.max(8, Math.min(right - button.offsetWidth / 2, widest)) + scrollX}px`;
        button.style.top = `${bottom + scrollY + 6}px`;
      }, 150);
    });
    archive.keys.q = quoteSelection;
  }

  // On a quotation's own page the texts are there already.
  const page = document.querySelector(".citation");
  if (page) {
    const written = (form) => page.querySelector(`#as-${form}`);
    const card = {
      url: page.querySelector(".permalink").href,
      citation: { text: written("text").value, markdown: written("markdown").value, html: written("html").value },
    };
    for (const button of page.querySelectorAll("button[data-copy]")) {
      const form = button.dataset.copy;
      button.addEventListener("click", () => copyForm(card, form, written(form), page.querySelector(".copied")));
    }
  }

  document.body.append(dialog, toast);
})();
