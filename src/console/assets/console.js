// The console: swaps the living part when the office changes, and turns keys into presses.
// Every button is a form that works without this file.
"use strict";
(() => {
  const live = document.getElementById("live");
  const $ = (id) => document.getElementById(id);
  let offset = Number(document.body.dataset.now) - Date.now();
  let heard = Date.now();
  // A press is never dropped because the page happens to renew itself; only a second press while one is on its way is.
  let posting = false;
  // The key whose press is under way, and the one that was pressed meanwhile.
  let under = "";
  let next = "";
  let renewing = false;
  let again = false;
  let newest = 0;
  // Whether settings changed since the page was loaded.
  let stale = false;
  // Whether somebody worked here since the last look; a page that renews itself does not keep a console unlocked.
  let used = false;
  for (const kind of ["pointerdown", "keydown", "wheel"]) document.addEventListener(kind, () => { used = true; }, { passive: true });
  // Answers looked at, until the turn changes; each look is on record.
  let seen = { ticket: "", rows: new Map() };

  function put(html) {
    const focus = document.activeElement?.dataset?.key || document.activeElement?.value;
    live.innerHTML = html;
    const state = $("state");
    if (state) $("bar-state").replaceChildren(state.content.cloneNode(true));
    const ticket = live.querySelector("[data-ticket]")?.dataset.ticket ?? "";
    if (ticket !== seen.ticket) seen = { ticket, rows: new Map() };
    for (const [row, value] of seen.rows) show(row, value);
    if (focus) live.querySelector(`[data-key="${CSS.escape(focus)}"],button[value="${CSS.escape(focus)}"]`)?.focus();
    tick();
  }
  function show(row, value) {
    const cell = live.querySelector(`[data-row="${row}"]`);
    if (!cell) return;
    cell.textContent = value;
    live.querySelector(`[data-reveal="${row}"]`)?.remove();
  }

  // Settings that changed are in parts of the page that do not renew themselves; nobody is disturbed in the middle of something.
  function renewPage() {
    const busy = posting || document.querySelector("dialog[open]") || document.activeElement?.matches("input,select,textarea");
    if (stale && !busy) location.reload();
    return stale && !busy;
  }

  async function refresh() {
    if (renewPage()) return;
    if (posting || renewing) { again = true; return; }
    renewing = true;
    const mine = newest;
    try {
      const headers = used ? { "X-Live": "1", "X-Used": "1" } : { "X-Live": "1" };
      used = false;
      const answer = await fetch(live.dataset.live, { headers });
      if (answer.status === 401 || answer.status === 410) { location.assign("/console"); return; }
      const html = answer.ok ? await answer.text() : null;
      // What was asked before a press is older than the answer to it.
      if (html !== null && mine === newest) put(html);
    } catch { /* the strip says it */ } finally {
      renewing = false;
      catchUp();
    }
  }

  function catchUp() {
    if (!again || posting || renewing) return;
    again = false;
    refresh();
  }

  async function post(form, button) {
    if (posting) {
      // Another key right after this one is meant for the page that is coming; the same one again is a slip.
      if (button?.dataset.key && button.dataset.key !== under) next = button.dataset.key;
      return;
    }
    posting = true;
    under = button?.dataset.key ?? "";
    newest += 1;
    const data = new URLSearchParams(new FormData(form));
    if (button?.name) data.set(button.name, button.value);
    document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
    try {
      const answer = await fetch(form.action, { method: "POST", body: data, headers: { "X-Live": "1" } });
      if (answer.redirected || answer.status === 401) { location.assign("/console"); return; }
      // The page is of a session before this one.
      if (answer.status === 403) { location.reload(); return; }
      if (answer.ok) put(await answer.text());
      heard = Date.now();
    } catch { $("lost").hidden = false; } finally {
      posting = false;
      const key = next;
      next = "";
      const wanted = key && live.querySelector(`[data-key="${key}"]`);
      if (wanted) press(wanted);
      catchUp();
    }
  }

  async function reveal(row) {
    const ticket = seen.ticket;
    const headers = { "X-Live": "1", "Form-Token": document.querySelector('input[name="form-token"]')?.value ?? "" };
    const answer = await fetch("/console/agent/reveal", { method: "POST", body: new URLSearchParams({ row }), headers });
    if (answer.status === 401) { location.assign("/console"); return; }
    if (!answer.ok || ticket !== seen.ticket) return;
    const value = await answer.text();
    seen.rows.set(row, value);
    show(row, value);
  }

  function press(button) {
    if (posting) { post(button.form, button); return; }
    if (button.getAttribute("aria-disabled") === "true") {
      // What cannot be done says why.
      $("why")?.scrollIntoView({ block: "nearest" });
      return;
    }
    if (button.dataset.ask) { $(button.dataset.ask).showModal(); return; }
    post(button.form, button);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.open) { $(button.dataset.open).showModal(); return; }
    if (button.hasAttribute("data-shut")) { button.closest("dialog").close(); return; }
    if (button.dataset.reveal) { event.preventDefault(); reveal(button.dataset.reveal); return; }
    if (button.form?.dataset.sure && !confirm(button.form.dataset.sure)) { event.preventDefault(); return; }
    if (!button.form?.hasAttribute("data-post")) return;
    event.preventDefault();
    press(button);
  });
  document.addEventListener("keydown", (event) => {
    if (!/^F\d+$/.test(event.key) || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    const button = live?.querySelector(`[data-key="${event.key}"]`);
    if (!button || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    press(button);
  });

  function tick() {
    const now = Date.now() + offset;
    const zone = { timeZone: document.body.dataset.zone, hour: "2-digit", minute: "2-digit", hour12: false };
    if ($("clock")) $("clock").textContent = new Date(now).toLocaleTimeString("es-EC", zone);
    for (const node of document.querySelectorAll("[data-since]")) {
      const seconds = Math.max(0, Math.floor((now - Number(node.dataset.since)) / 1000));
      const two = (n) => String(n).padStart(2, "0");
      node.textContent = `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
    }
    if (live) {
      const lost = Date.now() - heard > 10000;
      $("lost").hidden = !lost;
      if ($("link")) $("link").hidden = lost;
    }
  }

  function listen() {
    const source = new EventSource("/console/events");
    source.addEventListener("settings", () => { heard = Date.now(); stale = true; refresh(); });
    source.addEventListener("change", () => { heard = Date.now(); refresh(); });
    source.addEventListener("beat", (event) => { heard = Date.now(); offset = Number(event.data) - Date.now(); tick(); });
    source.onopen = refresh;
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) setTimeout(() => { refresh(); listen(); }, 2000);
    };
  }

  if (live) {
    const first = live.querySelector("[data-ticket]")?.dataset.ticket ?? "";
    seen.ticket = first;
    const state = $("state");
    if (state) $("bar-state").replaceChildren(state.content.cloneNode(true));
    listen();
    // Waits grow even when nothing happens.
    setInterval(refresh, Number(live.dataset.every ?? 30) * 1000);
  }
  tick();
  setInterval(tick, 1000);
})();
