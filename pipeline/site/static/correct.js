// For editors: adjusts a question's time while listening, and submits it without leaving the page. Without it the forms
// still work. Keys act on the focused question, but not while typing or if single-key shortcuts are turned off.
"use strict";

(() => {
  const list = document.querySelector(".questions > ol");
  if (!list) return; // no published questions
  const { player, tell } = archive;
  const NUDGE = 0.2; // seconds; with Shift ten times as much
  const TYPED = ["start", "end", "answer_end", "note"];

  function row(form) {
    return form.closest("li[id]");
  }

  function set(form, second) {
    const wanted = Math.min(Math.max(second, 0), player?.duration || Infinity);
    form.elements.start.value = written(wanted);
    row(form).classList.add("unsaved");
    tell(`Question ${row(form).value}: ${written(wanted)}, not confirmed yet`);
    return wanted;
  }

  function nudge(form, by) {
    const from = seconds(form.elements.start.value) ?? player?.currentTime ?? 0;
    const second = set(form, from + by);
    if (player) player.currentTime = second; // to hear it at once
  }

  function hear(form) {
    archive.hear(seconds(form.elements.start.value) ?? undefined);
  }

  function press(form, selector) {
    const button = form.querySelector(selector);
    if (button) button.click();
    else tell(`Question ${row(form).value} has no correction to undo`);
  }

  const KEYS = {
    ArrowLeft: (form, event) => nudge(form, event.shiftKey ? -10 * NUDGE : -NUDGE),
    ArrowRight: (form, event) => nudge(form, event.shiftKey ? 10 * NUDGE : NUDGE),
    n: (form) => player && (player.readyState ? set(form, player.currentTime) : tell("The audio has not loaded yet.", true)),
    p: hear,
    c: (form) => press(form, "[name=status][value=asked]"),
    x: (form) => press(form, "[name=status][value=not_asked]"),
    u: (form) => press(form, "[name=undo]"),
  };

  let earlier = Promise.resolve(); // one after the other: each renews the page, and the last must win

  function send(form, button) {
    const fields = new URLSearchParams(new FormData(form));
    fields.append(button.name, button.value);
    row(form).setAttribute("aria-busy", "true");
    earlier = earlier.then(() => deliver(form, fields));
  }

  async function deliver(form, fields) {
    const before = row(form);
    const answer = await archive.ask(form.action, { method: "POST", body: fields });
    const page = await archive.renew();
    before.removeAttribute("aria-busy");
    const typing = form.contains(document.activeElement) ? document.activeElement.name : null;
    if (!answer.ok) {
      // Another editor may have been there: the row as it is now, with what was typed, can be recorded.
      const now = page?.getElementById(before.id);
      if (now?.querySelector("form")) {
        replace(before, now);
        goOnTyping(now, form, TYPED.filter((name) => isTyped(form.elements[name])), typing);
      }
      tell(`Question ${before.value} was not recorded: ${answer.error}`, true);
      return;
    }
    before.classList.remove("unsaved");
    if (!page) {
      tell(`${answer.message}, but this page could not be updated: load it again`, true);
      return;
    }
    const since = TYPED.filter((name) => form.elements[name].value !== fields.get(name));
    if (!since.length) for (const details of before.querySelectorAll("details")) details.open = false;
    // A question's end depends on the others, so all are refreshed except those being edited.
    const others = [];
    for (const old of list.querySelectorAll("li[id]:not(.unsaved, [aria-busy])")) {
      const now = page.getElementById(old.id);
      if (!now) continue;
      if (old !== before && correction(old) !== correction(now)) others.push(old.value);
      replace(old, now);
      if (old === before) goOnTyping(now, form, since, typing);
    }
    tell(`${answer.message}${others.length ? `. Corrected since you loaded this page: question ${others.join(", ")}` : ""}`);
  }

  const isTyped = (field) => field.value !== field.defaultValue;

  // Keeps what was typed and is not recorded.
  function goOnTyping(item, form, names, typing) {
    const { elements } = item.querySelector("form");
    for (const name of names) elements[name].value = form.elements[name].value;
    item.classList.toggle("unsaved", names.length > 0);
    if (names.includes(typing)) elements[typing].focus({ preventScroll: true });
  }

  // The id of the correction shown in a question's row; empty if there is none.
  const correction = (item) => item.querySelector("[name=seen]").value.split("-")[0];

  function replace(old, now) {
    const focused = old.contains(document.activeElement);
    const opened = [...old.querySelectorAll("details")].map((one) => one.open);
    old.replaceWith(now);
    now.querySelectorAll("details").forEach((one, n) => (one.open = opened[n] ?? false));
    ready(now);
    if (focused) now.focus({ preventScroll: true });
  }

  function ready(item) {
    item.tabIndex = 0;
    for (const hidden of item.querySelectorAll(".nudges")) hidden.hidden = false;
  }

  list.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    if (row(form).hasAttribute("aria-busy")) return; // submit only once
    send(form, event.submitter ?? form.querySelector("[value=asked]"));
  });
  list.addEventListener("click", (event) => {
    const { form, dataset } = event.target;
    if (!form) return;
    if (dataset.nudge) nudge(form, Number(dataset.nudge));
    if (dataset.key) KEYS[dataset.key](form, event);
  });
  list.addEventListener("input", (event) => row(event.target.form).classList.add("unsaved"));
  list.addEventListener("keydown", (event) => {
    if (!archive.hasKeys() || event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = KEYS[keyOf(event)];
    const form = event.target.closest("li[id]")?.querySelector("form");
    if (!act || !form) return;
    event.preventDefault();
    if (event.repeat && !event.key.startsWith("Arrow")) return; // a key that is held records and undoes once
    act(form, event);
  });

  addEventListener("beforeunload", (event) => {
    if (list.querySelector(".unsaved")) event.preventDefault(); // the browser asks
  });
  for (const item of list.children) ready(item);
  document.querySelector(".keys").hidden = false;
})();
