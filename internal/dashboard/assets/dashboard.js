// The pages work without this script. It adds the display of times, the theme, keys,
// copying, saved views and confirmations. htmx reloads the live part of a page.
"use strict";

(() => {
  const root = document.documentElement;
  const remember = {
    get: (name) => { try { return localStorage.getItem("azbackupflow-" + name); } catch { return null; } },
    set: (name, value) => { try { localStorage.setItem("azbackupflow-" + name, value); } catch { /* not remembered */ } },
  };

  // Before the page is drawn, so that it does not flash.
  const theme = remember.get("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;

  const modes = ["utc", "local", "relative"];
  let mode = modes.includes(remember.get("time")) ? remember.get("time") : "utc";

  const pad = (n) => String(n).padStart(2, "0");
  const formats = {
    utc: (t) => t.toISOString().slice(0, 19).replace("T", " ") + "Z",
    local: (t) => `${t.getFullYear()}-${pad(t.getMonth() + 1)}-${pad(t.getDate())} ${pad(t.getHours())}:${pad(t.getMinutes())}:${pad(t.getSeconds())}`,
    relative: (t) => {
      const s = Math.round((t - Date.now()) / 1000), n = Math.abs(s);
      const text = n < 60 ? `${n} s` : n < 3600 ? `${Math.floor(n / 60)} min` : n < 86400 ? `${Math.floor(n / 3600)} h` : `${Math.floor(n / 86400)} d`;
      return s < 0 ? text + " ago" : "in " + text;
    },
  };

  function showTimes() {
    for (const element of document.querySelectorAll("time[datetime]")) {
      const t = new Date(element.dateTime);
      if (isNaN(t)) continue;
      const text = formats[mode](t);
      if (element.textContent !== text) element.textContent = text;
      element.title = formats.utc(t);
    }
    for (const element of document.querySelectorAll("[data-until]")) {
      const s = Math.round((new Date(element.dataset.until) - Date.now()) / 1000);
      element.textContent = s > 0 ? `next look in ${s} s` : "looking now";
    }
  }

  function moveTo(step) {
    const links = [...document.querySelectorAll("[data-row]")];
    if (links.length === 0) return;
    const now = links.indexOf(document.activeElement);
    const next = now < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, now + step));
    links[next].focus();
  }

  function keys(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const search = document.querySelector("[data-search]");
    if (event.key === "/" && search) { event.preventDefault(); search.focus(); search.select?.(); }
    if (event.key === "j") moveTo(1);
    if (event.key === "k") moveTo(-1);
    if (event.key === "?") showKeys();
  }

  // The list of keys is at the end of the page.
  function showKeys() {
    const list = document.querySelector("#keys");
    if (list.toggleAttribute("open")) list.scrollIntoView({ block: "nearest" });
  }

  // Saved views are links that this browser remembers.
  function savedViews() {
    const place = document.querySelector("[data-saved-views]");
    if (!place) return;
    let all;
    try { all = JSON.parse(remember.get("views") || "[]"); } catch { all = []; }
    for (const old of place.querySelectorAll("[data-own]")) old.remove();
    for (const view of all) {
      const link = document.createElement("a");
      link.href = "operations?" + new URLSearchParams(view.query);
      link.textContent = view.name;
      link.dataset.own = "";
      place.append(link);
    }
    const form = document.querySelector("[data-save-view]");
    if (!form) return;
    form.hidden = false;
    form.onsubmit = (event) => {
      event.preventDefault();
      const name = form.elements.name.value.trim();
      if (!name) return;
      const query = new URLSearchParams(location.search);
      for (const own of ["continue", "live", "tag", "done"]) query.delete(own);
      remember.set("views", JSON.stringify([...all.filter((v) => v.name !== name), { name, query: query.toString() }]));
      form.reset();
      savedViews();
    };
  }

  // A replaced part keeps its focus, its open details and the reasons that are being
  // written.
  function keepState() {
    let focused = null, opened = [], written = [];
    document.body.addEventListener("htmx:beforeSwap", () => {
      focused = selectorOf(document.activeElement);
      opened = [...document.querySelectorAll("#live details[open][id]")].map((d) => d.id);
      written = [...document.querySelectorAll("#live details[id] input[name=reason]")].map((input) => ({ selector: selectorOf(input), value: input.value, from: input.selectionStart, to: input.selectionEnd }));
    });
    document.body.addEventListener("htmx:afterSwap", () => {
      for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
      for (const { selector, value, from, to } of written) {
        const input = document.querySelector(selector);
        if (!input) continue;
        input.value = value;
        input.setSelectionRange(from, to);
      }
      if (focused) document.querySelector(focused)?.focus();
      showTimes();
    });
  }

  // selectorOf returns a selector that finds an element again after it was replaced, for
  // rows and for the elements of details.
  function selectorOf(element) {
    const row = element?.closest("[data-row]"), details = element?.closest("#live details[id]");
    if (row) return `[data-row][href="${CSS.escape(row.getAttribute("href"))}"]`;
    return details && `#${CSS.escape(details.id)} ${element.localName}:not([type=hidden])`;
  }

  // An alert above a part of the page reports that it could not be updated, until an
  // update succeeds.
  function showFailures() {
    const idOf = ({ target }) => `not-updated-${target.id}`;
    const show = ({ detail }) => {
      let notice = document.getElementById(idOf(detail));
      if (!notice) {
        notice = document.createElement("p");
        notice.id = idOf(detail);
        notice.className = "problem";
        notice.setAttribute("role", "alert");
        document.getElementById(detail.target.id)?.before(notice);
      }
      const text = `This part of the page could not be updated: ${detail.xhr.status ? `HTTP ${detail.xhr.status}` : "no answer"}. Reload the page.`;
      if (notice.textContent !== text) notice.textContent = text;
    };
    document.body.addEventListener("htmx:responseError", show);
    document.body.addEventListener("htmx:sendError", show);
    document.body.addEventListener("htmx:afterRequest", ({ detail }) => { if (detail.successful) document.getElementById(idOf(detail))?.remove(); });
  }

  function start() {
    const time = document.querySelector("[data-time]"), dark = document.querySelector("[data-theme-switch]");
    time.hidden = dark.hidden = false;
    time.value = mode;
    time.onchange = () => { mode = time.value; remember.set("time", mode); showTimes(); };
    dark.onclick = () => {
      const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = isDark ? "light" : "dark";
      remember.set("theme", root.dataset.theme);
    };
    document.addEventListener("keydown", keys);
    document.addEventListener("click", (event) => {
      const copy = event.target.closest("[data-copy]");
      if (copy) navigator.clipboard.writeText(copy.dataset.copy).then(() => { copy.textContent = "copied"; });
    });
    // On narrow screens, the entries of the navigation scroll.
    document.querySelector("header nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
    savedViews();
    showTimes();
    setInterval(showTimes, 1000);
    keepState();
    showFailures();
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
