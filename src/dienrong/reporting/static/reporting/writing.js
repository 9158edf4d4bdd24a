// The guided page: words are saved while they are written, and kept on this computer until they are.
// Without script the page has a button to save, and a figure is quoted at the end of the words.
"use strict";
(() => {
  const form = document.querySelector("[data-writing]");
  if (!form) return;
  const words = form.elements.body;
  const edition = form.elements.edition;
  const tab = form.elements.tab;
  const state = form.querySelector("[data-state]");
  const say = form.dataset;
  const place = `dienrong-words/${say.who}/${say.key}`;
  const PAUSE = 1500, LONGEST_WAIT = 10000, RETRY = 8000;
  let kept = words.value, timer = 0, first = 0, running = false, stopped = false;

  const tell = (text, isWarning = false) => {
    state.textContent = text;
    state.classList.toggle("is-warning", isWarning);
  };
  const remember = () => {
    const note = { body: words.value, edition: edition.value, tab: tab.value };
    try { localStorage.setItem(place, JSON.stringify(note)); } catch { /* no room or not allowed: the server keeps the words */ }
  };
  const forget = () => { try { localStorage.removeItem(place); } catch { /* nothing was kept */ } };
  const recall = () => { try { return JSON.parse(localStorage.getItem(place)); } catch { return null; } };

  const post = (address, data) => fetch(address, {
    method: "POST",
    body: data,
    headers: { Accept: "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
    credentials: "same-origin",
  });

  const later = (delay) => {
    clearTimeout(timer);
    timer = setTimeout(save, delay);
  };

  async function save() {
    clearTimeout(timer);
    if (running || stopped || words.value === kept) return;
    running = true;
    const sent = words.value;
    tell(say.saving);
    const data = new FormData(form);
    data.delete("cite");
    try {
      const answer = await post(form.action, data);
      const isJson = (answer.headers.get("Content-Type") || "").startsWith("application/json");
      if (!isJson) {
        // Signed out, or the form is old: saving again would not help.
        stopped = answer.status < 500;
        tell(stopped ? say.closed : say.offline, true);
        if (!stopped) later(RETRY);
      } else {
        const told = await answer.json();
        if (told.state === "saved") {
          kept = sent;
          edition.value = told.edition;
          if (words.value === sent) forget(); else remember();
          tell(`${say.saved} ${told.at}`);
        } else if (told.state === "conflict") {
          stopped = true;
          forget();
          tell(`${say.conflict} `, true);
          const link = document.createElement("a");
          link.href = told.url;
          link.textContent = say.compare;
          state.append(link);
        } else {
          tell(told.sentence, true);
        }
      }
    } catch {
      tell(say.offline, true);
      later(RETRY);
    } finally {
      running = false;
      first = 0;
      if (!stopped && words.value !== kept && words.value !== sent) later(PAUSE);
    }
  }

  words.addEventListener("input", () => {
    remember();
    if (stopped) return;
    const now = Date.now();
    first = first || now;
    tell(say.unsaved);
    later(Math.max(0, Math.min(PAUSE, first + LONGEST_WAIT - now)));
  });
  words.addEventListener("blur", () => { save(); });
  window.addEventListener("online", () => { save(); });
  document.addEventListener("visibilitychange", () => { if (document.hidden) save(); });
  window.addEventListener("beforeunload", (event) => {
    if (words.value !== kept && !stopped) {
      remember();
      save();
    }
  });

  // Figures are quoted where the cursor stands.
  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    event.preventDefault();
    if (!button || button.name !== "cite") {
      await save();
      return;
    }
    const data = new FormData();
    data.append("cite", button.value);
    try {
      const answer = await post(say.cite, data);
      const told = await answer.json();
      if (!answer.ok) { tell(told.sentence, true); return; }
      quote(told.quotation);
      tell(`${say.quoted} ${told.mark}`);
      await save();
    } catch {
      tell(say.offline, true);
    }
  });

  function quote(text) {
    const at = words.selectionEnd;
    const before = words.value.slice(0, at), after = words.value.slice(at);
    const start = before && !/[\s(]$/.test(before) ? " " : "";
    const end = after && !/^[\s.,;:)]/.test(after) ? " " : "";
    words.setRangeText(start + text + end, words.selectionStart, at, "end");
    words.focus();
    remember();
  }

  // What was not saved when the page was closed comes back.
  const note = recall();
  if (note && note.body !== words.value) {
    words.value = note.body;
    edition.value = note.edition;
    tab.value = note.tab;
    tell(say.back);
    later(300);
  } else if (note) {
    forget();
  }
})();
