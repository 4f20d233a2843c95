// The board: hears the office, announces one call at a time, and says so when it hears nothing.
// It shows only what the public API gives: numbers, counters, queues, waits.
"use strict";
(() => {
  const STALE_MS = 30000;      // an older call is history, not news
  const LOST_MS = 10000;       // silence after which the room must be told
  const FLASH_MS = 3000;       // three times at 1 Hz
  const FRAME_MS = 8000;
  const LONG_MIN = 120;        // nobody plans by the minute beyond two hours
  const EACH_MS = 4500;        // least time for one announcement before the next
  const root = document.documentElement;
  const $ = (id) => document.getElementById(id);
  const word = document.body.dataset;
  const lang = root.lang;
  let offset = 0;              // the office's clock minus ours
  let heard = Date.now();
  let shown = [];              // newest first
  let waiting = [];            // announcements to come
  let busy = false;
  let lastSeq = 0;
  let frameTimer = 0;

  const now = () => Date.now() + offset;
  const el = (tag, text, name) => {
    const node = document.createElement(tag);
    node.textContent = text;
    if (name) node.className = name;
    return node;
  };

  function scale() {
    const by = Math.min(innerWidth / 1920, innerHeight / 1080);
    const stage = $("stage");
    stage.style.transform = `scale(${by})`;
    stage.style.left = `${(innerWidth - 1920 * by) / 2}px`;
    stage.style.top = `${(innerHeight - 1080 * by) / 2}px`;
  }

  function drawCalls() {
    const [first, ...past] = shown;
    $("none").hidden = Boolean(first);
    $("now").hidden = !first;
    if (first) {
      $("number").textContent = first.number;
      $("counter").textContent = first.counter;
      $("now").querySelector(".grid").classList.toggle("long", (first.number + first.counter).length > 7);
    }
    $("past").replaceChildren(...past.slice(0, 3).map((call) => {
      const row = document.createElement("div");
      row.append(el("span", call.number), el("span", call.counter));
      return row;
    }));
  }

  function drawQueues(queues) {
    $("queues").classList.toggle("many", queues.length > 5);
    $("queues").replaceChildren(...queues.map((queue) => {
      const row = el("div", "", "q");
      const name = el("div", "", "n");
      const people = queue.waiting === 1 ? word.person : word.people.replace("{n}", queue.waiting);
      name.append(el("b", queue.name), el("span", queue.open_counters ? people : word.closed));
      const range = queue.estimate;
      const minutes = !range ? word.later
        : range.from_minutes >= LONG_MIN ? word.over.replace("{from}", LONG_MIN)
        : range.from_minutes === 0 ? word.upto.replace("{to}", range.to_minutes)
        : word.range.replace("{from}", range.from_minutes).replace("{to}", range.to_minutes);
      row.append(el("span", queue.series, queue.series.length > 1 ? "s two" : "s"), name, el("div", minutes, "m"));
      return row;
    }));
  }

  function clock() {
    const zone = { timeZone: word.zone };
    const at = new Date(now());
    $("time").textContent = at.toLocaleTimeString("es-EC", { ...zone, hour: "2-digit", minute: "2-digit", hour12: false });
    const day = at.toLocaleDateString(lang === "en" ? "en" : "es-EC", { ...zone, weekday: "long" });
    const date = at.toLocaleDateString("es-EC", { ...zone, day: "numeric" });
    $("day").textContent = `${day[0].toUpperCase()}${day.slice(1)} ${date}`;
    $("lost").hidden = Date.now() - heard < LOST_MS;
  }

  // ---- sound -------------------------------------------------------------------------------------------------
  let audio = null;
  function sound() {
    try {
      audio ??= new AudioContext();
      audio.resume();
    } catch { audio = null; }
    setTimeout(() => { $("sound").hidden = !audio || audio.state === "running"; }, 300);
  }
  function chime() {
    if (!audio || audio.state !== "running") return;
    [784, 587].forEach((pitch, n) => {
      const tone = audio.createOscillator();
      const gain = audio.createGain();
      const from = audio.currentTime + n * 0.35;
      tone.frequency.value = pitch;
      gain.gain.setValueAtTime(0, from);
      gain.gain.linearRampToValueAtTime(0.12, from + 0.02);
      gain.gain.setValueAtTime(0.12, from + 0.25);
      gain.gain.linearRampToValueAtTime(0, from + 0.35);
      tone.connect(gain).connect(audio.destination);
      tone.start(from);
      tone.stop(from + 0.36);
    });
  }
  const LETTERS = { A: "a", B: "be", C: "ce", D: "de", E: "e", F: "efe", G: "ge", H: "hache", I: "i", J: "jota", K: "ka",
    L: "ele", M: "eme", N: "ene", O: "o", P: "pe", Q: "cu", R: "erre", S: "ese", T: "te", U: "u", V: "uve", W: "doble uve",
    X: "equis", Y: "ye", Z: "zeta" };
  function speak(call) {
    // Only a voice that lives on this machine: no number goes to anybody else's server.
    const voice = globalThis.speechSynthesis?.getVoices().find((v) => v.localService && v.lang.startsWith("es"));
    if (!voice) return 0;
    const [series, digits] = call.number.split("-");
    const letters = [...series].map((c) => LETTERS[c] ?? c).join(" ");
    const zeros = digits.match(/^0*/)[0].length;
    const spoken = `${"cero ".repeat(zeros)}${Number(digits)}`;
    const text = `Turno ${letters}, ${spoken}. Ventanilla ${call.counter}.`;
    for (let n = 0; n < 2; n += 1) {
      const say = new SpeechSynthesisUtterance(text);
      say.voice = voice;
      say.lang = voice.lang;
      say.rate = 0.9;
      speechSynthesis.speak(say);
    }
    return 5000;
  }

  // ---- announcements, one at a time --------------------------------------------------------------------------
  function announce() {
    if (busy) return;
    let call = waiting.shift();
    while (call && now() - Date.parse(call.at) > STALE_MS) {
      place(call);
      call = waiting.shift();
    }
    if (!call) { drawCalls(); return; }
    busy = true;
    place(call);
    drawCalls();
    $("live").textContent = word.spoken.replace("{number}", call.number).replace("{counter}", call.counter);
    root.classList.remove("flash", "frame");
    void root.offsetWidth;     // lets the animation start again
    root.classList.add("flash");
    clearTimeout(frameTimer);
    frameTimer = setTimeout(() => {
      root.classList.replace("flash", "frame");
      frameTimer = setTimeout(() => root.classList.remove("frame"), FRAME_MS);
    }, FLASH_MS);
    chime();
    const voice = audio?.state === "running" ? speak(call) : 0;
    setTimeout(() => { busy = false; announce(); }, EACH_MS + voice);
  }
  function place(call) {
    shown = [call, ...shown.filter((other) => other.number !== call.number)].slice(0, 4);
  }

  // ---- the office --------------------------------------------------------------------------------------------
  function listen() {
    const source = new EventSource("/api/v1/board/events");
    const hear = () => { heard = Date.now(); $("lost").hidden = true; };
    source.addEventListener("beat", hear);
    for (const kind of ["called", "recalled", "resumed"]) {
      source.addEventListener(kind, (event) => {
        hear();
        const call = JSON.parse(event.data);
        if (call.seq <= lastSeq) return;
        lastSeq = call.seq;
        waiting.push(call);
        announce();
      });
    }
    source.addEventListener("board", (event) => {
      hear();
      const board = JSON.parse(event.data);
      offset = Date.parse(board.at) - Date.now();
      if (board.seq < lastSeq) waiting = [];          // the office began a new history
      lastSeq = board.seq;
      drawQueues(board.queues);
      if (!busy && waiting.length === 0) {
        shown = board.calls;
        drawCalls();
      }
      clock();
    });
    source.onerror = () => {
      // The browser tries again by itself, except after a refusal.
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
    };
  }

  addEventListener("resize", scale);
  $("sound").addEventListener("click", sound);
  if (new URLSearchParams(location.search).has("sin-movimiento")) root.classList.add("still");
  scale();
  sound();
  // A screen that nobody can touch does not ask for ever.
  setTimeout(() => { $("sound").hidden = true; }, 60000);
  clock();
  setInterval(clock, 1000);
  listen();
})();
