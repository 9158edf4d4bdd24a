// The machine check: measures this machine, says a verdict by the rules of the cycle, sends a report.
// Plain script for Chrome 109 and Firefox 115: no modules, no library, nothing from elsewhere.
"use strict";

(function () {
  var settings = JSON.parse(document.getElementById("settings").textContent);
  var words = settings.words;
  var NETWORK_SECONDS = 30;
  var PROBE_TIMEOUT = 3000;
  var AT_MOST = { clock_skew_s: true, latency_ms: true, loss_percent: true };
  var YES_OR_NO = { storage_works: true, typing_works: true, sound_works: true, autosave_works: true, server_works: true };
  var FAMILIES = { chromium: true, firefox: true };
  var BY_HAND = { typing_works: true, sound_works: true, autosave_works: true };

  function by(id) { return document.getElementById(id); }

  // What is kept on the machine: localStorage where it works, else in this page alone.
  var memory = {};
  function keep(key, value) {
    memory[key] = value;
    try { localStorage.setItem(key, value); } catch (error) { /* A private window keeps nothing; the report says so. */ }
  }
  function kept(key) {
    try {
      var found = localStorage.getItem(key);
      if (found !== null) return found;
    } catch (error) { /* as above */ }
    return memory[key] === undefined ? null : memory[key];
  }

  function newId() {
    var bytes = new Uint8Array(16);
    crypto.getRandomValues(bytes);
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    var text = Array.prototype.map.call(bytes, function (byte) { return (256 + byte).toString(16).slice(1); }).join("");
    return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-");
  }

  var STATE = "dr-check-" + settings.code;
  var QUEUE = "dr-check-queue";
  var machineId = kept("dr-machine") || newId();
  keep("dr-machine", machineId);
  var state = {};
  try { state = JSON.parse(kept(STATE)) || {}; } catch (error) { state = {}; }
  var reportId = newId();
  var measured = { typing: state.typing || null, sound_works: undefined, autosave_works: undefined };
  var done = {};
  if (typeof state.sound_works === "boolean") measured.sound_works = state.sound_works;
  if (typeof state.autosave_works === "boolean") measured.autosave_works = state.autosave_works;

  function remember(name, value) {
    state[name] = value;
    keep(STATE, JSON.stringify(state));
  }

  function say(id, text, kind) {
    var place = by(id);
    place.textContent = text;
    place.className = "check-word" + (kind ? " check-" + kind : "");
  }

  // ------------------------------------------------------------------ rules

  function valueOf(measure) {
    if (measure === "typing_works") return measured.typing ? measured.typing === "composed" : null;
    if (measure === "chromium" || measure === "firefox") return measured.engine === measure ? measured.browser_version : null;
    return measured[measure] === undefined ? null : measured[measure];
  }

  function holds(rule) {
    if (FAMILIES[rule.measure] && !FAMILIES[measured.engine]) return false;
    var value = valueOf(rule.measure);
    if (value === null) return null;
    if (YES_OR_NO[rule.measure]) return value === true;
    if (rule.measure === "clock_skew_s") value = Math.abs(value);
    return AT_MOST[rule.measure] ? value <= rule.bound : value >= rule.bound;
  }

  function concerns(rule) {
    return !(FAMILIES[rule.measure] && FAMILIES[measured.engine] && measured.engine !== rule.measure);
  }

  function number(value) {
    var isEnglish = document.documentElement.lang === "en";
    var parts = String(Math.round(value * 10) / 10).split(".");
    var whole = parts[0].replace(/(\d)(?=(\d{3})+$)/g, isEnglish ? "$1," : "$1.");
    return parts.length > 1 ? whole + (isEnglish ? "." : ",") + parts[1] : whole;
  }

  function shown(measure) {
    var value = valueOf(measure);
    if (value === null) {
      if (BY_HAND[measure]) return words.waiting;
      return done[measure] ? words.hidden_value : words.measuring;
    }
    if (YES_OR_NO[measure]) return value ? words.works : words.broken;
    return number(value) + (settings.units[measure] ? " " + settings.units[measure] : "");
  }

  function cell(row, text, kind) {
    var made = document.createElement("td");
    made.textContent = text;
    if (kind) made.className = "check-" + kind;
    row.appendChild(made);
    return made;
  }

  function draw() {
    var body = by("rows");
    body.textContent = "";
    var worst = "passed";
    var waiting = [];
    settings.rules.filter(concerns).forEach(function (rule) {
      var answer = holds(rule);
      var isOpen = answer === null && (BY_HAND[rule.measure] || !done[rule.measure]);
      var isFailure = answer === false && rule.weight === "must";
      if (isOpen) {
        if (waiting.indexOf(settings.measures[rule.measure]) < 0) waiting.push(settings.measures[rule.measure]);
      } else if (isFailure) {
        worst = "failed";
      } else if (!answer && worst === "passed") {
        worst = "warned";
      }
      var row = document.createElement("tr");
      var head = document.createElement("th");
      head.scope = "row";
      head.textContent = settings.measures[rule.measure];
      row.appendChild(head);
      cell(row, shown(rule.measure));
      cell(row, rule.bound_text);
      var word = answer ? words.holds : answer === null ? (isOpen ? "…" : words.hidden) : words.fails;
      var result = cell(row, word, isOpen ? "" : answer ? "good" : isFailure ? "bad" : "soso");
      if (!answer && !isOpen) {
        var remedy = document.createElement("span");
        remedy.className = "remedy";
        remedy.textContent = settings.remedies[rule.measure];
        result.appendChild(remedy);
      }
      body.appendChild(row);
    });
    var place = by("verdict");
    place.className = "verdict check-" + (worst === "passed" ? "good" : worst === "warned" ? "soso" : "bad");
    if (waiting.length) {
      place.className = "verdict";
      place.textContent = words.unfinished.replace("%s", waiting.join(", "));
    } else {
      place.textContent = words[worst];
    }
    by("check").setAttribute("data-verdict", waiting.length ? "" : worst);
    by("send").disabled = by("save-file").disabled = by("show-text").disabled = !networkIsDone;
  }

  function tell(name, value) {
    measured[name] = value;
    done[name] = true;
    draw();
  }

  // ------------------------------------------------------------------ what the browser tells

  function readBrowser() {
    var agent = navigator.userAgent;
    var firefox = /Firefox\/(\d+)/.exec(agent);
    var chromium = /Chrom(?:e|ium)\/(\d+)/.exec(agent);
    measured.engine = firefox ? "firefox" : chromium ? "chromium" : "other";
    var found = firefox || chromium;
    measured.browser_version = found ? Number(found[1]) : null;
    done.chromium = done.firefox = true;
    var systems = [
      [/Windows NT 6\.1/, "Windows 7"], [/Windows NT 6\.[23]/, "Windows 8"], [/Windows NT 10/, "Windows 10, 11"],
      [/CrOS/, "ChromeOS"], [/Android/, "Android"], [/Mac OS X/, "macOS"], [/Linux/, "Linux"],
    ];
    measured.system = "";
    for (var place = 0; place < systems.length && !measured.system; place += 1) {
      if (systems[place][0].test(agent)) measured.system = systems[place][1];
    }
    tell("screen_width", Math.round(screen.width));
    tell("screen_height", Math.round(screen.height));
    // Chrome tells memory over https alone, and never more than 8; Firefox never tells it.
    tell("memory_gb", typeof navigator.deviceMemory === "number" ? navigator.deviceMemory : null);
  }

  function readQuota() {
    if (!navigator.storage || !navigator.storage.estimate) {
      tell("storage_mb", null);
      return;
    }
    navigator.storage.estimate().then(
      function (found) { tell("storage_mb", Math.floor((found.quota - found.usage) / 1048576)); },
      function () { tell("storage_mb", null); }
    );
  }

  // ------------------------------------------------------------------ the machine keeps what is written

  function openStore() {
    return new Promise(function (resolve, reject) {
      var request = indexedDB.open("dr-check", 1);
      request.onupgradeneeded = function () { request.result.createObjectStore("kept"); };
      request.onsuccess = function () { resolve(request.result); };
      request.onerror = function () { reject(request.error); };
      request.onblocked = function () { reject(new Error("blocked")); };
    });
  }

  function put(store, key, value) {
    return new Promise(function (resolve, reject) {
      var change = store.transaction("kept", "readwrite");
      if (value === null) change.objectStore("kept").delete(key);
      else change.objectStore("kept").put(value, key);
      change.oncomplete = resolve;
      change.onabort = change.onerror = function () { reject(change.error); };
    });
  }

  function get(store, key) {
    return new Promise(function (resolve, reject) {
      var request = store.transaction("kept").objectStore("kept").get(key);
      request.onsuccess = function () { resolve(request.result); };
      request.onerror = function () { reject(request.error); };
    });
  }

  function tryStore() {
    var sample = newId() + new Array(65536).join("đ");
    var opened;
    return openStore()
      .then(function (store) { opened = store; return put(store, "sample", sample); })
      .then(function () { return get(opened, "sample"); })
      .then(function (found) {
        tell("storage_works", found === sample);
        return put(opened, "sample", null);
      })
      .then(function () { return opened; });
  }

  function watchDraft(store) {
    var wasCut = false;
    try { wasCut = sessionStorage.getItem("dr-cut") === settings.code; sessionStorage.removeItem("dr-cut"); } catch (error) { /* kept elsewhere */ }
    get(store, "draft").then(function (found) {
      if (found && found.code === settings.code && found.isCut) {
        by("draft").value = found.text;
        finishDraft(true);
        put(store, "draft", null);
      } else if (wasCut) {
        finishDraft(false);
      } else if (typeof state.autosave_works === "boolean") {
        finishDraft(state.autosave_works);
      }
    });
    by("draft").addEventListener("input", function () {
      put(store, "draft", { code: settings.code, text: by("draft").value, isCut: true });
    });
    by("cut").addEventListener("click", function () {
      if (by("draft").value.trim().length < 3) {
        say("draft-word", words.kept_short, "soso");
        by("draft").focus();
        return;
      }
      put(store, "draft", { code: settings.code, text: by("draft").value, isCut: true }).then(function () {
        try { sessionStorage.setItem("dr-cut", settings.code); } catch (error) { /* then the store alone tells */ }
        location.reload();
      });
    });
  }

  function finishDraft(works) {
    remember("autosave_works", works);
    say("draft-word", works ? words.kept_ok : words.kept_wrong, works ? "good" : "bad");
    tell("autosave_works", works);
  }

  // ------------------------------------------------------------------ what the person does

  function plain(text) { return text.replace(/\s+/g, " ").trim(); }

  function watchTyping() {
    var field = by("typing");
    var wasPasted = false;
    field.addEventListener("paste", function (event) {
      event.preventDefault();
      wasPasted = true;
      say("typing-word", words.typing_paste, "soso");
    });
    field.addEventListener("input", function () {
      var typed = plain(field.value);
      var wanted = plain(settings.sentence).normalize("NFC");
      if (wasPasted && !typed) wasPasted = false;
      if (typed.normalize("NFC") === wanted) {
        var isComposed = typed === wanted;
        finishTyping(isComposed ? "composed" : "decomposed");
      } else if (typed.length >= wanted.length - 2) {
        // What was typed wrongly may still be put right; it counts once the report is sent.
        measured.typing = "wrong";
        say("typing-word", words.typing_wrong, "soso");
        draw();
      } else {
        measured.typing = null;
        say("typing-word", "");
        draw();
      }
    });
    if (state.typing) finishTyping(state.typing);
  }

  function finishTyping(form) {
    remember("typing", form);
    measured.typing = form;
    say("typing-word", form === "composed" ? words.typing_ok : words.typing_apart, form === "composed" ? "good" : "bad");
    draw();
  }

  function watchSound() {
    var Context = window.AudioContext || window.webkitAudioContext;
    var nTones = 0;
    var context = null;
    by("listen").addEventListener("click", function () {
      if (!Context) {
        finishSound(false, words.sound_none);
        return;
      }
      context = context || new Context();
      if (context.resume) context.resume();
      nTones = 1 + (crypto.getRandomValues(new Uint8Array(1))[0] % 4);
      var begin = context.currentTime + 0.15;
      for (var place = 0; place < nTones; place += 1) {
        var tone = context.createOscillator();
        var volume = context.createGain();
        volume.gain.value = 0.2;
        tone.frequency.value = 523;
        tone.connect(volume);
        volume.connect(context.destination);
        tone.start(begin + place * 0.55);
        tone.stop(begin + place * 0.55 + 0.3);
      }
      by("tones").hidden = false;
      say("sound-word", "");
    });
    by("tones").addEventListener("click", function (event) {
      var answer = Number(event.target.getAttribute("data-tones"));
      if (!answer) return;
      if (answer === nTones) finishSound(true, words.sound_ok);
      else say("sound-word", words.sound_wrong, "soso");
    });
    by("no-sound").addEventListener("click", function () { finishSound(false, words.broken); });
    if (typeof state.sound_works === "boolean") finishSound(state.sound_works, state.sound_works ? words.sound_ok : words.broken);
  }

  function finishSound(works, text) {
    remember("sound_works", works);
    say("sound-word", text, works ? "good" : "bad");
    tell("sound_works", works);
  }

  // ------------------------------------------------------------------ network

  var networkIsDone = false;

  function ask(url, options, timeout) {
    var control = new AbortController();
    var timer = setTimeout(function () { control.abort(); }, timeout);
    var asked = Object.assign({ cache: "no-store", credentials: "omit", signal: control.signal }, options);
    return fetch(url, asked).then(
      function (response) {
        return response.arrayBuffer().then(function (body) {
          clearTimeout(timer);
          if (!response.ok && response.type !== "opaque") throw new Error(String(response.status));
          return body;
        });
      },
      function (error) { clearTimeout(timer); throw error; }
    );
  }

  function median(values) {
    var sorted = values.slice().sort(function (one, other) { return one - other; });
    return sorted.length ? sorted[Math.floor((sorted.length - 1) / 2)] : null;
  }

  function watchNetwork() {
    var times = [];
    var skews = [];
    var nAsked = 0;
    var nLost = 0;
    var downs = [];
    var ups = [];
    var pending = [];

    function tick() {
      var began = performance.now();
      var clockBegan = Date.now();
      nAsked += 1;
      pending.push(ask(settings.urls.tick, {}, PROBE_TIMEOUT).then(
        function (body) {
          var took = performance.now() - began;
          times.push(took);
          var centre = JSON.parse(new TextDecoder().decode(body)).now;
          skews.push({ took: took, skew: (clockBegan + took / 2 - centre) / 1000 });
        },
        function () { nLost += 1; }
      ));
    }

    function speed(list, url, options, nBytes) {
      var began = performance.now();
      pending.push(ask(url, options, 10000).then(
        function () { list.push((nBytes * 8) / 1000 / Math.max((performance.now() - began) / 1000, 0.001)); },
        function () { /* a speed that could not be measured is not told; lost calls are counted by the ticks */ }
      ));
    }

    function second(n) {
      by("progress").textContent = words.network_progress.replace("%s", n);
      if (n >= NETWORK_SECONDS) {
        Promise.all(pending).then(finish);
        return;
      }
      tick();
      if (n % 10 === 3) speed(downs, settings.urls.down + "?kb=256", {}, 262144);
      if (n % 10 === 7) speed(ups, settings.urls.up, { method: "POST", body: new Uint8Array(131072) }, 131072);
      setTimeout(function () { second(n + 1); }, 1000);
    }

    function finish() {
      skews.sort(function (one, other) { return one.took - other.took; });
      networkIsDone = true;
      measured.latency_ms = times.length ? Math.round(median(times)) : null;
      measured.loss_percent = Math.round((1000 * nLost) / nAsked) / 10;
      measured.clock_skew_s = skews.length ? Math.round(skews[0].skew) : null;
      measured.down_kbps = downs.length ? Math.round(median(downs)) : null;
      measured.up_kbps = ups.length ? Math.round(median(ups)) : null;
      ["latency_ms", "loss_percent", "clock_skew_s", "down_kbps", "up_kbps"].forEach(function (name) { done[name] = true; });
      by("progress").textContent = "";
      draw();
    }

    second(0);
  }

  function askServer() {
    if (!settings.server) return;
    if (location.protocol === "https:" && settings.server.indexOf("http:") === 0) {
      settings.remedies.server_works = words.server_blocked;
      tell("server_works", null);
      return;
    }
    ask(settings.server + "/", { mode: "no-cors" }, 5000).then(
      function () { tell("server_works", true); },
      function () { tell("server_works", false); }
    );
  }

  // ------------------------------------------------------------------ the report

  var content = null;

  function report() {
    // The same measures give the same report, whichever way and however often it is handed over.
    if (content) return content;
    var found = {
      ticket: settings.ticket,
      report_id: reportId,
      machine_id: machineId,
      label: by("label").value.trim(),
      measured_at: new Date().toISOString(),
      engine: measured.engine,
      browser_version: measured.browser_version,
      system: measured.system,
      typing: measured.typing || "",
    };
    [
      "screen_width", "screen_height", "memory_gb", "storage_mb", "storage_works", "clock_skew_s", "sound_works",
      "autosave_works", "latency_ms", "down_kbps", "up_kbps", "loss_percent", "server_works",
    ].forEach(function (name) { found[name] = measured[name] === undefined ? null : measured[name]; });
    content = JSON.stringify(found);
    freeze();
    return content;
  }

  function freeze() {
    ["label", "typing", "listen", "no-sound", "draft", "cut"].forEach(function (id) { by(id).disabled = true; });
    by("tones").hidden = true;
  }

  function queue() {
    try { return JSON.parse(kept(QUEUE)) || []; } catch (error) { return []; }
  }

  function post(entry) {
    var options = { method: "POST", body: entry.body, headers: { "Content-Type": "application/json" }, cache: "no-store", credentials: "omit" };
    return fetch(entry.url, options).then(function (response) {
      return response.json().then(function (answer) { return { ok: response.ok, status: response.status, answer: answer }; });
    });
  }

  var isSending = false;

  function sendQueue() {
    var waiting = queue();
    if (isSending || !waiting.length) return;
    isSending = true;
    var entry = waiting[0];
    var isOurs = entry.body === content;
    if (isOurs) say("send-word", words.sending);
    post(entry).then(
      function (found) {
        isSending = false;
        // Too busy or failing for the moment: kept and tried again.
        if (found.status === 429 || found.status >= 500) {
          say("send-word", words.refused.replace("%s", found.answer.error || found.status), "soso");
          return;
        }
        keep(QUEUE, JSON.stringify(queue().filter(function (one) { return one.body !== entry.body; })));
        if (isOurs && found.ok) {
          by("check").setAttribute("data-sent", found.answer.verdict);
          say("send-word", words.sent.replace("%s", new Date().toTimeString().slice(0, 5)), "good");
        } else if (isOurs) {
          say("send-word", words.refused.replace("%s", found.answer.error || found.status), "bad");
        }
        sendQueue();
      },
      function () {
        isSending = false;
        if (isOurs) {
          by("check").setAttribute("data-waiting", "yes");
          say("send-word", words.offline, "soso");
        }
      }
    );
  }

  function watchReport() {
    by("send").addEventListener("click", function () {
      var body = report();
      by("send").disabled = true;
      var waiting = queue().filter(function (one) { return one.body !== body; });
      waiting.push({ url: settings.urls.send, body: body });
      keep(QUEUE, JSON.stringify(waiting));
      sendQueue();
    });
    by("save-file").addEventListener("click", function () {
      var link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([report()], { type: "application/json" }));
      link.download = "kiem-tra-may-" + machineId.slice(0, 8) + ".json";
      document.body.appendChild(link);
      link.click();
      link.remove();
    });
    by("show-text").addEventListener("click", function () {
      by("text").value = report();
      by("text-place").hidden = false;
      by("text").select();
    });
    window.addEventListener("online", sendQueue);
    setInterval(sendQueue, 10000);
    sendQueue();
  }

  // ------------------------------------------------------------------ begin

  by("too-old").hidden = true;
  by("work").hidden = false;
  by("label").value = state.label || "";
  by("label").addEventListener("input", function () { remember("label", by("label").value); });
  readBrowser();
  watchTyping();
  watchSound();
  watchReport();
  readQuota();
  tryStore().then(watchDraft, function () {
    tell("storage_works", false);
    by("cut").disabled = true;
    say("draft-word", words.kept_none, "bad");
    tell("autosave_works", false);
  });
  askServer();
  watchNetwork();
  draw();
})();
