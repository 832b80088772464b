// For editors: opens the forms that check a passage and say who speaks in it where the passage is, plays it, and records
// what was heard without leaving the page. Without it each link leads to a page with these forms.
"use strict";

(() => {
  const { player, ask } = archive;
  const RECORDED = "archive-recorded"; // what is told after the page was loaded anew, and of which passage
  let stopAt = null; // the second at which the passage that is heard ends
  let opened = null; // the link whose form is open

  const box = () => document.getElementById("checking");
  const form = () => document.getElementById("check");

  function tell(message, problem = false, by = form()) {
    const told = by?.querySelector(".told");
    if (!told) {
      archive.tell(message, problem);
      return;
    }
    told.classList.toggle("problem", problem);
    told.textContent = message;
  }

  function shut() {
    if (player && stopAt !== null) player.pause();
    box()?.remove();
    opened?.focus();
    opened = null;
  }

  // What somebody wrote is not thrown away, in the form that is sent or in the other one: the first field with such.
  function unrecorded(sent = null) {
    const fields = box()?.querySelectorAll("[name=text], [name=speaker], [name=note]") ?? [];
    return [...fields].find((one) => one.form !== sent && one.value !== one.defaultValue);
  }

  function close() {
    if (!unrecorded() || confirm("What you wrote is not recorded. Close it all the same, and lose that?")) shut();
  }

  function isUnfinished(by = form(), sent = null) {
    const before = unrecorded(sent);
    if (!before) return false;
    tell("Not recorded yet: record it or close it first.", true, by);
    before.focus();
    return true;
  }

  async function open(link) {
    const answer = await ask(link.href);
    if (isUnfinished()) return; // asked only now, for somebody may go on writing while the site answers
    if (!answer.ok) {
      tell(`That passage cannot be checked: ${answer.error}`, true);
      return;
    }
    shut();
    link.closest("p").insertAdjacentHTML("afterend", answer.html);
    opened = link;
    for (const hidden of box().querySelectorAll("[hidden]")) hidden.hidden = hidden.dataset.do === "hear" && !player;
    box().scrollIntoView({ block: "nearest" });
    form().elements.text.focus({ preventScroll: true });
  }

  function hear() {
    const { start, end } = form().dataset;
    const begins = player?.paused;
    archive.hear(Number(start));
    if (begins) stopAt = Number(end);
  }

  // What the page says of a passage now. It stays the same element, for others hold on to it.
  function renew(n, page) {
    const [old, now] = [document, page].map((from) => from.getElementById(`s${n}`));
    if (!old || !now) return;
    for (const name of ["class", "title", "data-start", "data-end", "data-words"]) {
      if (now.hasAttribute(name)) old.setAttribute(name, now.getAttribute(name));
      else old.removeAttribute(name);
    }
    old.querySelector(".text").replaceChildren(...now.querySelector(".text").childNodes);
    old.nextElementSibling.replaceWith(now.nextElementSibling);
    const [paragraph, history] = [old.closest("p"), now.closest("p").nextElementSibling];
    if (paragraph.nextElementSibling?.matches(".checks")) paragraph.nextElementSibling.remove();
    if (history?.matches(".checks")) paragraph.after(history);
  }

  const linkAt = (n) => document.querySelector(`#s${n} + .checking a`);

  // This page as it would be loaded now; null where the site does not answer with it.
  async function current() {
    try {
      const response = await fetch(location.pathname);
      return response.ok ? new DOMParser().parseFromString(await response.text(), "text/html") : null;
    } catch {
      return null;
    }
  }

  async function post(sent, button) {
    const fields = new URLSearchParams(new FormData(sent));
    fields.append(button.name, button.value);
    sent.setAttribute("aria-busy", "true");
    const answer = await ask(sent.action, { method: "POST", body: fields });
    sent.removeAttribute("aria-busy");
    if (!answer.ok) tell(`Nothing was recorded: ${answer.error}`, true, sent);
    return answer;
  }

  // Who speaks stands in headings all over the page: it is loaded anew, and goes on at the passage.
  async function sendWho(sent, button) {
    if (isUnfinished(sent, sent)) return;
    const answer = await post(sent, button);
    if (!answer.ok) return;
    sessionStorage.setItem(RECORDED, JSON.stringify({ n: sent.dataset.n, at: player?.currentTime, message: answer.message }));
    history.scrollRestoration = "manual"; // else the browser goes back to where the page was, later than any script
    history.replaceState(null, "", `#s${sent.dataset.n}`);
    shut();
    location.reload();
  }

  function goOn() {
    const recorded = JSON.parse(sessionStorage.getItem(RECORDED));
    sessionStorage.removeItem(RECORDED);
    if (!recorded) return;
    history.scrollRestoration = "auto";
    if (recorded.at) archive.seek(recorded.at);
    linkAt(recorded.n)?.focus({ preventScroll: true });
    const show = () => document.getElementById(`s${recorded.n}`)?.scrollIntoView({ block: "center" });
    show();
    setTimeout(show, 100); // what is above has its height only once it is drawn
    tell(recorded.message);
  }

  async function send(button) {
    const sent = form();
    if (isUnfinished(sent, sent)) return;
    const answer = await post(sent, button);
    if (!answer.ok) return;
    const page = await current();
    if (!page) {
      shut();
      tell(`${answer.message}, but this page could not be renewed: load it again`, true);
      return;
    }
    const [first, last] = [Number(sent.dataset.first), Number(sent.dataset.last)];
    shut();
    for (let n = last; n >= first; n -= 1) renew(n, page);
    document.getElementById("checked").replaceChildren(...page.getElementById("checked").childNodes);
    (linkAt(button.name === "undo" ? first : last + 1) ?? linkAt(first)).focus(); // on to the next passage
    tell(answer.message);
  }

  document.addEventListener("click", (event) => {
    if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest("a.check");
    if (link) {
      event.preventDefault();
      open(link);
    }
    const todo = box()?.contains(event.target) && event.target.dataset.do;
    if (todo) ({ hear, close })[todo]();
  });
  document.addEventListener("submit", (event) => {
    if (!box()?.contains(event.target)) return;
    event.preventDefault();
    if (event.target.hasAttribute("aria-busy")) return; // one press, one check
    const button = event.submitter ?? event.target.querySelector("button");
    if (event.target === form()) send(button);
    else sendWho(event.target, button);
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
  addEventListener("load", goOn);
})();
