// The board: hears the office, announces one call at a time, and says so when it hears nothing.
// It shows only what the public API gives: numbers, counters, queues, waits.
// Written for televisions of 2018 and later: ES2017, nothing newer than Chromium 63 knows.
"use strict";
(function () {
  const STALE_MS = 30000;      // an older call is history, not news
  const LOST_MS = 10000;       // silence after which the room must be told
  const DEAD_MS = 15000;       // silence after which the line is taken for dead and opened again
  const FLASH_MS = 3000;       // three times at 1 Hz
  const FRAME_MS = 8000;
  const LONG_MIN = 120;        // nobody plans by the minute beyond two hours
  const EACH_MS = 4500;        // least time for one announcement before the next
  const VOICE_MS = 12000;      // an announcement takes about 4 seconds; a hung one must not stop the next
  const PAUSE_MS = 500;        // between the two times a call is spoken
  const root = document.documentElement;
  const $ = (id) => document.getElementById(id);
  const word = document.body.dataset;
  const lang = root.lang;
  let offset = 0;              // the office's clock minus ours
  let heard = Date.now();
  let latest = null;           // the newest board
  let shown = [];              // newest first
  let waiting = [];            // announcements to come
  let busy = false;
  let lastSeq = -1;
  let frameTimer = 0;
  let source = null;

  const now = () => Date.now() + offset;
  const el = (tag, text, name) => {
    const node = document.createElement(tag);
    node.textContent = text;
    if (name) node.className = name;
    return node;
  };
  const fill = (parent, nodes) => {
    parent.textContent = "";
    nodes.forEach((node) => parent.appendChild(node));
  };
  const later = (ms) => new Promise((done) => { setTimeout(done, ms); });

  function scale() {
    const by = Math.min(innerWidth / 1920, innerHeight / 1080);
    const stage = $("stage");
    stage.style.transform = `scale(${by})`;
    stage.style.left = `${(innerWidth - 1920 * by) / 2}px`;
    stage.style.top = `${(innerHeight - 1080 * by) / 2}px`;
  }

  function drawCalls() {
    const first = shown[0];
    $("none").hidden = Boolean(first);
    $("now").hidden = !first;
    if (first) {
      $("number").textContent = first.number;
      $("counter").textContent = first.counter;
      const long = (first.number + first.counter).length > 7;
      $("now").querySelector(".grid").classList.toggle("long", long);
    }
    fill($("past"), shown.slice(1, 4).map((call) => {
      const row = el("div", "");
      row.appendChild(el("span", call.number));
      row.appendChild(el("span", call.counter));
      return row;
    }));
  }

  function minutesOf(queue) {
    const range = queue.estimate;
    if (queue.down || !range) return word.later;
    if (range.from_minutes >= LONG_MIN) return word.over.replace("{from}", LONG_MIN);
    if (range.from_minutes === 0) return word.upto.replace("{to}", range.to_minutes);
    return word.range.replace("{from}", range.from_minutes).replace("{to}", range.to_minutes);
  }
  function peopleOf(queue) {
    if (queue.down) return word.down;
    if (!queue.open_counters) return word.closed;
    return queue.waiting === 1 ? word.person : word.people.replace("{n}", queue.waiting);
  }
  function drawQueues(queues) {
    $("queues").classList.toggle("many", queues.length > 5);
    fill($("queues"), queues.map((queue) => {
      const row = el("div", "", "q");
      const name = el("div", "", "n");
      name.appendChild(el("b", queue.name));
      name.appendChild(el("span", peopleOf(queue)));
      row.appendChild(el("span", queue.series, queue.series.length > 1 ? "s two" : "s"));
      row.appendChild(name);
      row.appendChild(el("div", minutesOf(queue), "m"));
      return row;
    }));
  }

  function clock() {
    const zone = { timeZone: word.zone };
    const at = new Date(now());
    const say = (locale, parts) => at.toLocaleString(locale, Object.assign({}, zone, parts));
    $("time").textContent = say("es-EC", { hour: "2-digit", minute: "2-digit", hour12: false });
    const day = say(lang === "en" ? "en" : "es-EC", { weekday: "long" });
    $("day").textContent = `${day[0].toUpperCase()}${day.slice(1)} ${say("es-EC", { day: "numeric" })}`;
    const silence = Date.now() - heard;
    $("lost").hidden = silence < LOST_MS;
    if (silence > DEAD_MS && source && source.readyState === EventSource.OPEN) listen();
  }

  // ---- sound -------------------------------------------------------------------------------------------------
  // A browser lets a page sound after a touch or a key, or from the start where it is told so
  // (Chromium: --autoplay-policy=no-user-gesture-required). Until then the board says that it is silent.
  let audio = null;
  const loud = () => Boolean(audio) && audio.state === "running";
  function sound() {
    const Audio = window.AudioContext || window.webkitAudioContext;
    if (!Audio) return;
    try {
      audio = audio || new Audio();
      audio.onstatechange = hint;
      const resumed = audio.resume();
      if (resumed) resumed.then(hint, hint);
    } catch (_) {
      audio = null;
    }
    setTimeout(hint, 300);
  }
  function hint() {
    $("sound").hidden = loud();
  }
  function chime() {
    if (!loud()) return Promise.resolve();
    [784, 587].forEach((pitch, n) => {
      const tone = audio.createOscillator();
      const gain = audio.createGain();
      const from = audio.currentTime + n * 0.35;
      tone.frequency.value = pitch;
      gain.gain.setValueAtTime(0, from);
      gain.gain.linearRampToValueAtTime(0.12, from + 0.02);
      gain.gain.setValueAtTime(0.12, from + 0.25);
      gain.gain.linearRampToValueAtTime(0, from + 0.35);
      tone.connect(gain);
      gain.connect(audio.destination);
      tone.start(from);
      tone.stop(from + 0.36);
    });
    return later(800);
  }
  // The hub's own voice for this very call.
  function fetchVoice(call) {
    return fetch(`/board/voice/${call.seq}`)
      .then((answer) => (answer.ok ? answer.arrayBuffer() : Promise.reject(new Error("no voice"))))
      .then((bytes) => new Promise((done, failed) => { audio.decodeAudioData(bytes, done, failed); }));
  }
  function play(buffer) {
    return new Promise((done) => {
      const player = audio.createBufferSource();
      player.buffer = buffer;
      player.connect(audio.destination);
      player.onended = done;
      player.start();
    });
  }
  // Only a voice that lives on this machine: no number goes to anybody else's server.
  function localVoice(call) {
    const speech = window.speechSynthesis;
    const voices = speech ? speech.getVoices() : [];
    const voice = voices.find((one) => one.localService && one.lang.startsWith(lang));
    if (!voice) return Promise.resolve();
    return new Promise((done) => {
      const say = new SpeechSynthesisUtterance(
        word.spoken.replace("{number}", call.number.replace("-", ", ")).replace("{counter}", call.counter));
      say.voice = voice;
      say.lang = voice.lang;
      say.rate = 0.9;
      say.onend = done;
      say.onerror = done;
      speech.speak(say);
    });
  }
  function speak(call) {
    if (!loud()) return Promise.resolve();
    return fetchVoice(call).then(
      (buffer) => play(buffer).then(() => later(PAUSE_MS)).then(() => play(buffer)),
      () => localVoice(call).then(() => later(PAUSE_MS)).then(() => localVoice(call)));
  }

  // ---- announcements, one at a time --------------------------------------------------------------------------
  const isNews = (call) => latest.announce.indexOf(call.seq) >= 0 && now() - Date.parse(call.at) <= STALE_MS;
  function announce() {
    if (busy || !latest) return;
    let call = waiting.shift();
    while (call && !isNews(call)) call = waiting.shift();
    if (!call) {
      shown = latest.calls;
      drawCalls();
      return;
    }
    busy = true;
    shown = [call].concat(shown.filter((other) => other.number !== call.number)).slice(0, 4);
    drawCalls();
    $("live").textContent = word.spoken.replace("{number}", call.number).replace("{counter}", call.counter);
    flash();
    const spoken = chime().then(() => speak(call)).catch(() => null);
    const most = Promise.race([spoken, later(VOICE_MS)]);
    Promise.all([most, later(EACH_MS)]).then(() => { busy = false; announce(); });
  }
  function flash() {
    root.classList.remove("flash", "frame");
    void root.offsetWidth;     // lets the animation start again
    root.classList.add("flash");
    clearTimeout(frameTimer);
    frameTimer = setTimeout(() => {
      root.classList.remove("flash");
      root.classList.add("frame");
      frameTimer = setTimeout(() => root.classList.remove("frame"), FRAME_MS);
    }, FLASH_MS);
  }

  // ---- the office --------------------------------------------------------------------------------------------
  // An id of this screen, so that the office can tell when the room has none. It says nothing about anybody.
  function screenId() {
    const fresh = Math.random().toString(36).slice(2, 10);
    try {
      const kept = localStorage.getItem("screen") || fresh;
      localStorage.setItem("screen", kept);
      return kept;
    } catch (_) {
      return fresh;
    }
  }
  const screen = screenId();

  function listen() {
    if (source) source.close();
    const since = lastSeq >= 0 ? `&after=${lastSeq}` : "";
    source = new EventSource(`/api/v1/board/events?zone=${word.board}&screen=${screen}${since}`);
    const hear = () => { heard = Date.now(); $("lost").hidden = true; };
    source.addEventListener("beat", hear);
    ["called", "recalled", "resumed"].forEach((kind) => {
      source.addEventListener(kind, (event) => {
        hear();
        const call = JSON.parse(event.data);
        if (call.seq <= lastSeq) return;
        lastSeq = call.seq;
        // It is announced with the board that follows, which knows whether it is still news.
        waiting.push(call);
      });
    });
    source.addEventListener("board", (event) => {
      hear();
      const board = JSON.parse(event.data);
      offset = Date.parse(board.at) - Date.now();
      if (board.seq < lastSeq) waiting = [];          // the office began a new history
      lastSeq = board.seq;
      latest = board;
      drawQueues(board.queues);
      // An administrator may have changed both since this page was loaded.
      $("rule").textContent = word.rule.replace("{k}", board.max_priority_run);
      $("room").textContent = board.room;
      announce();
      clock();
    });
    source.onerror = () => {
      // The browser tries again by itself, except after a refusal.
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
    };
  }

  addEventListener("resize", scale);
  addEventListener("click", sound);
  addEventListener("keydown", sound);
  if (location.search.indexOf("sin-movimiento") >= 0) root.classList.add("still");
  scale();
  sound();
  clock();
  setInterval(clock, 1000);
  listen();
}());
