"use strict";
// Looks whether the page has news, and puts in the parts that changed. A part is an
// element with data-live and an id.
(() => {
  let tag = "";
  let looking = null;
  let wait = 1000;

  const open = () => [...document.querySelectorAll("details[open]")].map((d) => d.id);

  // What somebody is typing is kept, and so are the focus and what is unfolded.
  function replace(old, fresh) {
    const focus = document.activeElement && old.contains(document.activeElement) ? document.activeElement.id : "";
    const unfolded = open();
    const typed = new Map();
    for (const input of old.querySelectorAll("input:not([type=hidden])")) if (input.id && input.value) typed.set(input.id, input.value);
    old.replaceWith(fresh);
    for (const id of unfolded) { const d = id && document.getElementById(id); if (d) d.open = true; }
    for (const [id, value] of typed) { const input = document.getElementById(id); if (input) input.value = value; }
    if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
  }

  async function look() {
    const began = performance.now();
    const answer = await fetch(location.href, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
    if (answer.status === 200) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      let news = false;
      for (const fresh of page.querySelectorAll("[data-live][id]")) {
        const old = document.getElementById(fresh.id);
        if (old && old.dataset.shown !== fresh.outerHTML) {
          const first = old.dataset.shown === undefined && old.outerHTML === fresh.outerHTML;
          const text = fresh.outerHTML;
          if (first) { old.dataset.shown = text; continue; }
          const imported = document.importNode(fresh, true);
          imported.dataset.shown = text;
          replace(old, imported);
          news = true;
        }
      }
      tag = answer.headers.get("ETag") || "";
      if (news) document.getElementById("news").textContent = "The page has news.";
    }
    // A page that is slow to make is asked for less often.
    wait = Math.max(1000, 5 * (performance.now() - began));
  }

  // One look at a time; whoever asks meanwhile gets a new one after it.
  function lookAgain() {
    looking = (looking || Promise.resolve()).then(look).catch(() => {});
    return looking;
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form.answer")) return;
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form, event.submitter));
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/plain" } });
      const said = (await answer.text()).trim();
      document.getElementById("news").textContent = said;
      if (answer.ok) form.querySelectorAll("input:not([type=hidden])").forEach((input) => { input.value = ""; });
      document.getElementById("said").textContent = answer.ok ? "" : said;
    } catch {
      document.getElementById("said").textContent = "The sandbox does not answer.";
    }
    await lookAgain();
  });

  (async () => {
    for (;;) {
      if (!document.hidden) await lookAgain();
      await new Promise((done) => setTimeout(done, wait));
    }
  })();
})();
