"use strict";

// Asks for the state once a second and changes only what is new, so that nothing flickers.
// Values from the server reach the page as text, never as markup.

const POLL_MS = 1000;
const HEALTH_POLL_MS = 5000;
const KEPT_ROWS = 100;
// The first types of the catalogue are those that score.
const MAIN_TYPES = 6;

const byId = (id) => document.getElementById(id);

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined && text !== null) made.textContent = String(text);
  if (className) made.className = className;
  return made;
}

function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
}

function say(id, text, mood) {
  const note = byId(id);
  note.classList.remove("good", "bad");
  if (mood) note.classList.add(mood);
  note.textContent = text;
}

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const answer = await fetch(path, options);
  const parsed = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(parsed.error || `${path} answered ${answer.status}`);
  return parsed;
}

const OUTCOME_MOODS = { created: "good", kept: "good", refused: "bad", failed: "bad" };

async function addChannel() {
  const button = byId("add-channel");
  button.disabled = true;
  say("channel-note", "Asking the module…");
  try {
    const { channel_id: id, results } = await ask("/sandbox/api/channel", {});
    const lines = (results || []).map(resultLine);
    byId("channel-results").replaceChildren(...lines);
    say("channel-note", `The module watches channel ${id}.`, "good");
  } catch (problem) {
    byId("channel-results").replaceChildren();
    say("channel-note", problem.message, "bad");
  } finally {
    button.disabled = false;
  }
  await refresh();
}

function resultLine(result) {
  const line = element("li");
  const mood = OUTCOME_MOODS[result.outcome] || "warn";
  line.append(element("span", result.outcome, `badge ${mood}`), element("code", result.type));
  if (result.reason) line.append(element("span", result.reason, "why"));
  return line;
}

async function refreshHealth() {
  const chip = byId("health");
  let health;
  try {
    health = await ask("/sandbox/api/health");
  } catch {
    health = { state: "sandbox unreachable", url: location.origin };
  }
  const moods = { ready: "good", "not ready": "warn" };
  const text = `Module ${health.state} · ${health.url}`;
  if (chip.textContent === text) return;
  chip.textContent = text;
  chip.className = `chip ${moods[health.state] || "bad"}`;
  chip.title = health.detail || "";
}

function isOn(id) {
  return byId(id).getAttribute("aria-pressed") === "true";
}

function setSwitch(id, on) {
  byId(id).setAttribute("aria-pressed", String(on));
}

function order(type) {
  const amount = Number.parseInt(byId("amount").value, 10);
  return {
    type,
    user_id: byId("viewer").value,
    amount: amount > 0 ? amount : 0,
    tier: byId("tier").value,
    anonymous: isOn("anonymous"),
    how: isOn("forged") ? "forged" : isOn("stale") ? "stale" : "normal",
  };
}

async function fire(what) {
  const name = what.type || "the last message";
  try {
    const sent = await ask("/sandbox/api/fire", what);
    const ok = sent.status >= 200 && sent.status < 300;
    const outcome = sent.status === null ? `no answer (${sent.error})` : `answered ${sent.status}`;
    say("send-note", `Sent ${name}: the module ${outcome}.`, ok ? "good" : "bad");
  } catch (problem) {
    say("send-note", problem.message, "bad");
  }
  await refresh();
}

const typeButtons = new Map();

function showTypes(types) {
  types.forEach((row, place) => {
    if (!typeButtons.has(row.type)) {
      const box = byId(place < MAIN_TYPES ? "main-types" : "more-types");
      box.append(typeButton(row));
    }
    const button = typeButtons.get(row.type);
    if (button.disabled === row.subscribed || !button.title) {
      const counted = row.unit ? `, amount in ${row.unit}` : "";
      button.disabled = !row.subscribed;
      button.title = row.type + (row.subscribed ? counted : ": not subscribed");
    }
  });
  byId("send-hint").hidden = types.some((row) => row.subscribed);
}

function typeButton(row) {
  const button = element("button");
  button.type = "button";
  button.setAttribute("aria-label", `Fire ${row.type}`);
  button.append(element("b", row.title), element("code", row.type));
  button.addEventListener("click", () => fire(order(row.type)));
  typeButtons.set(row.type, button);
  return button;
}

let viewersShown = "";

function showViewers(people) {
  const key = JSON.stringify(people);
  if (key === viewersShown) return;
  viewersShown = key;
  const select = byId("viewer");
  const chosen = select.value;
  const usual = element("option", "Whoever fits");
  usual.value = "";
  const options = people.map((person) => {
    const option = element("option", person.display_name);
    option.value = person.id;
    return option;
  });
  select.replaceChildren(usual, ...options);
  select.value = people.some((person) => person.id === chosen) ? chosen : "";
}

const MESSAGE_KINDS = {
  webhook_callback_verification: "challenge",
  revocation: "revocation",
};

const messageLines = new Map();

function showMessages(messages) {
  byId("messages-empty").hidden = messages.length > 0;
  const kept = new Set(messages.map((message) => message.message_id));
  for (const [id, line] of messageLines) {
    if (!kept.has(id)) {
      line.remove();
      messageLines.delete(id);
    }
  }
  for (const message of messages) {
    const shape = JSON.stringify(message);
    let line = messageLines.get(message.message_id);
    if (!line) {
      line = element("li");
      messageLines.set(message.message_id, line);
      byId("messages").prepend(line);
    }
    if (line.dataset.shape !== shape) {
      line.dataset.shape = shape;
      line.replaceChildren(...messageParts(message));
    }
  }
}

function messageParts(message) {
  const parts = [element("time", clock(message.at)), element("code", message.type, "grow")];
  const kind = MESSAGE_KINDS[message.message_type];
  if (kind) parts.push(element("span", kind, "badge"));
  if (message.how !== "normal") parts.push(element("span", message.how, "badge warn"));
  const tries = message.tries.slice(-5);
  if (!tries.length) parts.push(element("span", "sending…", "badge"));
  for (const one of tries) {
    const ok = one.status >= 200 && one.status < 300 && !one.error;
    parts.push(element("span", one.error || one.status, `badge ${ok ? "good" : "bad"}`));
  }
  return parts;
}

const receivedRows = new Map();

function showReceived(received, names) {
  const body = byId("received").tBodies[0];
  byId("received-empty").hidden = received.length > 0;
  for (const call of received) {
    const shape = JSON.stringify([call, names.get(call.userid)]);
    let row = receivedRows.get(call.number);
    if (!row) {
      row = element("tr", undefined, "new");
      receivedRows.set(call.number, row);
      body.prepend(row);
    }
    if (row.dataset.shape !== shape) {
      row.dataset.shape = shape;
      row.dataset.activity = call.activity || "";
      row.replaceChildren(...receivedCells(call, names));
    }
  }
  for (const [number, row] of receivedRows) {
    if (receivedRows.size <= KEPT_ROWS) break;
    row.remove();
    receivedRows.delete(number);
  }
}

function receivedCells(call, names) {
  const keyCell = element("td");
  const key = element("code", call.key || "none", "key");
  key.title = call.key || "";
  keyCell.append(key);
  if (call.repeat) keyCell.append(element("span", "repeat", "badge warn"));
  if (call.mismatch) keyCell.append(element("span", "other bytes", "badge bad"));
  if (call.status >= 300) keyCell.append(element("span", call.status, "badge bad"));
  return [
    element("td", clock(call.at)),
    element("td", names.get(call.userid) || call.userid),
    element("td", call.activity),
    element("td", call.amount, "amount"),
    keyCell,
  ];
}

let scoresShown = "";

function showScores(scores) {
  const key = JSON.stringify(scores);
  if (key === scoresShown) return;
  scoresShown = key;
  byId("scores-empty").hidden = scores.length > 0;
  const lines = scores.map((one) => {
    const line = element("li");
    line.append(element("span", one.name || one.userid), element("b", one.score));
    return line;
  });
  byId("scores").replaceChildren(...lines);
}

function showCounts(counts) {
  for (const api of ["context", "reputation", "gateway"]) {
    const place = byId(`count-${api}`);
    const text = String(counts[api] || 0);
    if (place.textContent !== text) place.textContent = text;
  }
}

let runShown;

function forgetEarlierRun(run) {
  if (run === runShown) return;
  runShown = run;
  for (const shown of [receivedRows, messageLines]) {
    for (const line of shown.values()) line.remove();
    shown.clear();
  }
}

async function refresh() {
  let state;
  try {
    state = await ask("/sandbox/api/state");
  } catch {
    return; // The health chip says that nobody answers.
  }
  forgetEarlierRun(state.run);
  showViewers(state.people);
  showTypes(state.types);
  showMessages(state.messages);
  showReceived(state.received, new Map(state.scores.map((one) => [one.userid, one.name])));
  showScores(state.scores);
  showCounts(state.counts);
}

async function repeatForEver(task, ms) {
  await task();
  setTimeout(() => repeatForEver(task, ms), ms);
}

byId("add-channel").addEventListener("click", addChannel);
byId("repeat").addEventListener("click", () => fire({ how: "repeat" }));
byId("anonymous").addEventListener("click", () => setSwitch("anonymous", !isOn("anonymous")));
for (const [id, other] of [["forged", "stale"], ["stale", "forged"]]) {
  byId(id).addEventListener("click", () => {
    setSwitch(id, !isOn(id));
    setSwitch(other, false);
  });
}
repeatForEver(refresh, POLL_MS);
repeatForEver(refreshHealth, HEALTH_POLL_MS);
