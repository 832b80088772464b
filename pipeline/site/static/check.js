// For editors: opens the forms for checking a passage and naming its speaker below the passage, plays it, and submits
// them without leaving the page. Without it each link leads to a page with these forms.
"use strict";

(() => {
  const { player, ask } = archive;
  let stopAt = null; // the second at which the passage being played ends
  let opened = null; // the number of the passage with the open form

  const box = () => document.getElementById("checking");
  const form = () => document.getElementById("check");
  const linkAt = (n) => document.querySelector(`#s${n} + .checking a`);

  function tell(message, problem = false, by = form()) {
    archive.tell(message, problem, by?.querySelector(".told") ?? undefined);
  }

  function shut() {
    if (player && stopAt !== null) player.pause();
    box()?.remove();
    linkAt(opened)?.focus();
    opened = null;
  }

  // The first field with unsaved input, except in the form being sent: input must not be lost.
  function unrecorded(sent = null) {
    return typed().find((one) => one.form !== sent);
  }

  function typed() {
    const fields = box()?.querySelectorAll("[name=text], [name=speaker], [name=note]") ?? [];
    return [...fields].filter((one) => one.value !== one.defaultValue);
  }

  function close() {
    if (!unrecorded() || confirm("What you wrote is not recorded. Close anyway and lose it?")) shut();
  }

  function isUnfinished(by = form(), sent = null) {
    const before = unrecorded(sent);
    if (!before) return false;
    tell("Not recorded yet: record it or close it first.", true, by);
    before.focus();
    return true;
  }

  async function open(n, address) {
    const answer = await ask(address);
    if (isUnfinished()) return; // checked only now, since somebody may go on typing until the site answers
    if (!answer.ok) {
      tell(`That passage cannot be checked: ${answer.error}`, true);
      return;
    }
    shut();
    show(n, answer.html);
    box().scrollIntoView({ block: "nearest" });
    form().elements.text.focus({ preventScroll: true });
  }

  function show(n, html) {
    linkAt(n).closest("p").insertAdjacentHTML("afterend", html);
    opened = n;
    for (const hidden of box().querySelectorAll("[hidden]")) hidden.hidden = hidden.dataset.do === "hear" && !player;
  }

  // Another editor may have been there: the forms as they are now, with what was typed, can be recorded.
  async function openAgain() {
    const answer = await ask(linkAt(opened).href);
    if (!answer.ok || !(await archive.renew())) return;
    const [kept, focused] = [typed(), document.activeElement];
    box().remove();
    show(opened, answer.html);
    const now = (field) => document.getElementById(field.form.id).elements[field.name];
    for (const field of kept) now(field).value = field.value;
    if (kept.includes(focused)) now(focused).focus({ preventScroll: true });
  }

  function hear() {
    const { start, end } = form().dataset;
    const begins = player?.paused;
    archive.hear(Number(start));
    if (begins) stopAt = Number(end);
  }

  // A form that is being sent cannot be edited.
  function setBusy(sent, isBusy) {
    if (isBusy) sent.setAttribute("aria-busy", "true");
    else sent.removeAttribute("aria-busy");
    for (const field of sent.querySelectorAll("input, textarea")) field.readOnly = isBusy;
  }

  async function post(sent, button) {
    const fields = new URLSearchParams(new FormData(sent));
    fields.append(button.name, button.value);
    setBusy(sent, true);
    const answer = await ask(sent.action, { method: "POST", body: fields });
    setBusy(sent, false);
    if (!answer.ok) {
      await openAgain();
      tell(`Nothing was recorded: ${answer.error}`, true, document.getElementById(sent.id));
    }
    return answer;
  }

  // Shows the current state. If something was typed in the other form meanwhile, it stays open.
  async function goOn(sent, message, next) {
    const isShown = await archive.renew();
    const left = unrecorded(sent);
    if (left) {
      for (const one of sent.elements) one.defaultValue = one.value; // this is recorded
      tell(message, false, sent);
      tell("Not recorded yet: record it or close it.", true, left.form);
      return;
    }
    shut();
    next().focus();
    tell(isShown ? message : `${message}, but this page could not be updated: load it again`, !isShown);
  }

  async function send(sent, button) {
    if (isUnfinished(sent, sent)) return;
    const answer = await post(sent, button);
    if (!answer.ok) return;
    const { first, last, n } = sent.dataset;
    const after = button.name === "undo" ? first : Number(last) + 1; // on to the next passage
    await goOn(sent, answer.message, () => linkAt(n ?? after) ?? linkAt(n ?? first));
  }

  document.addEventListener("click", (event) => {
    if (!isPlain(event)) return;
    const link = event.target.closest("a.check");
    if (link) {
      event.preventDefault();
      open(link.closest(".checking").previousElementSibling.id.slice(1), link.href);
    }
    const todo = box()?.contains(event.target) && event.target.dataset.do;
    if (todo) ({ hear, close })[todo]();
  });
  document.addEventListener("submit", (event) => {
    if (!box()?.contains(event.target)) return;
    event.preventDefault();
    if (event.target.hasAttribute("aria-busy")) return; // submit only once
    send(event.target, event.submitter ?? event.target.querySelector("button"));
  });
  document.addEventListener("keydown", (event) => {
    if (!box()?.contains(event.target)) return;
    const sent = event.target.form ?? form();
    const record = () => sent.requestSubmit(sent.querySelector("[value=checked], [value=here]"));
    const act = { Enter: record, " ": hear }[event.key];
    if (event.key === "Escape") close();
    else if (event.ctrlKey && act) act();
    else return;
    event.preventDefault();
  });
  player?.addEventListener("timeupdate", () => {
    if (stopAt !== null && player.currentTime >= stopAt) player.pause();
  });
  player?.addEventListener("pause", () => {
    stopAt = null;
  });
  addEventListener("beforeunload", (event) => {
    if (unrecorded()) event.preventDefault(); // the browser asks
  });
})();
