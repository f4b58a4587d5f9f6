"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const [NAME, SPEAKER, FOLD, LABEL, WORDS, ADDRESS, PLAYER] = [0, 1, 2, 3, 4, 5, 6];
  const STEP = 100;
  const at = (id) => document.getElementById(id);
  const options = (id, values) => at(id).append(...values.map((value) => new Option(value, value)));
  const percent = (share) => (100 * share).toFixed(1);
  const signed = (share) => `${share < 0 ? "−" : "+"}${Math.abs(100 * share).toFixed(1)}`;
  const said = (system, n) => {
    const text = data.said[system];
    return { label: text.charCodeAt(3 * n) - 65, sure: Number(text.slice(3 * n + 1, 3 * n + 3)) };
  };
  const names = data.systems.map((system) => system.name);
  const colour = Object.fromEntries(data.systems.map((system) => [system.name, system.colour]));
  const pairs = new Map(data.pairs.map((pair) => [`${pair[0]}\n${pair[1]}`, pair]));
  const pair = (first, second) => {
    const own = pairs.get(`${first}\n${second}`);
    if (own) return own.slice(2);
    const other = pairs.get(`${second}\n${first}`);
    if (!other) return null;
    const [a, b, difference, low, high, p, both, onlyA, onlyB, neither] = other.slice(2);
    const minus = (x) => (x === null ? null : -x);
    return [b, a, minus(difference), minus(high), minus(low), p, both, onlyB, onlyA, neither];
  };

  options("first", names);
  options("second", names);
  options("label", data.classes);
  options("predicted", data.classes);
  options("speaker", [...new Set(data.clips.map((clip) => clip[SPEAKER]))].sort());
  at("first").value = data.reference;
  at("second").value = names.find((name) => name !== data.reference) ?? data.reference;
  const chosen = () => [...new Set([at("first").value, at("second").value])];
  if (names.length < 2) {
    at("two").closest("section").hidden = true;
    for (const code of ["10", "01"]) at("result").querySelector(`[value="${code}"]`).remove();
    at("result").querySelector('[value="11"]').textContent = "right";
    at("result").querySelector('[value="00"]').textContent = "wrong";
  }

  const compare = () => {
    const [first, second] = [at("first").value, at("second").value];
    const cells = [...at("agreement").tBodies[0].rows].flatMap((row) => [row.cells[1], row.cells[2]]);
    const found = pair(first, second);
    if (!found) {
      at("difference").textContent = "Choose two different systems.";
      cells.forEach((cell) => { cell.textContent = ""; });
      return;
    }
    const [value, other, difference, low, high, p, both, only, otherOnly, neither] = found;
    const interval = low === null ? "" : ` [${signed(low)}, ${signed(high)}]`;
    const corrected = p === null ? "" : p < 0.001 ? ", p < 0.001" : `, p = ${p.toFixed(3)}`;
    at("difference").textContent =
      `${first} ${percent(value)}, ${second} ${percent(other)}: difference ${signed(difference)}${interval}${corrected}`;
    [both, only, otherOnly, neither].forEach((share, n) => { cells[n].textContent = `${percent(share)} %`; });
  };

  const cell = (text, kind = "") => {
    const made = document.createElement("td");
    made.textContent = text;
    made.className = kind;
    return made;
  };
  const prediction = (system, n) => {
    const { label, sure } = said(system, n);
    const right = label === data.clips[n][LABEL];
    const made = cell(`${data.classes[label]} ${sure} %`, right ? "" : "wrong");
    if (!right) made.title = "wrong";
    return made;
  };
  const player = (clip) => {
    const made = document.createElement("td");
    if (!clip[ADDRESS]) return made;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "play";
    button.textContent = "Play";
    button.setAttribute("aria-label", `Play ${clip[NAME]}`);
    button.addEventListener("click", () => {
      const media = document.createElement(clip[PLAYER]);
      media.src = clip[ADDRESS];
      media.controls = true;
      media.autoplay = true;
      button.replaceWith(media);
      media.focus();
    });
    made.append(button);
    return made;
  };
  const row = (n) => {
    const clip = data.clips[n];
    const made = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = clip[NAME];
    made.append(head);
    if (playable) made.append(player(clip));
    made.append(cell(clip[SPEAKER]), cell(clip[FOLD], "number"), cell(data.classes[clip[LABEL]]));
    made.append(...chosen().map((system) => prediction(system, n)));
    if (worded) made.append(cell(clip[WORDS], "long"));
    return made;
  };

  const playable = data.clips.some((clip) => clip[ADDRESS]);
  const worded = data.clips.some((clip) => clip[WORDS]);
  let kept = [];
  let limit = STEP;
  const show = () => {
    const head = at("clips").tHead.rows[0];
    const titles = ["Clip", ...(playable ? ["Play"] : []), "Speaker", "Fold", "Label"];
    head.replaceChildren(...titles.map((title) => {
      const made = document.createElement("th");
      made.scope = "col";
      made.textContent = title;
      if (title === "Fold") made.className = "number";
      return made;
    }));
    for (const system of chosen()) {
      const made = document.createElement("th");
      made.scope = "col";
      const dot = document.createElement("span");
      dot.className = "dot";
      dot.style.background = colour[system];
      made.append(dot, system);
      head.append(made);
    }
    if (worded) head.insertAdjacentHTML("beforeend", '<th scope="col">Words</th>');
    at("clips").tBodies[0].replaceChildren(...kept.slice(0, limit).map(row));
    at("shown").textContent = `${kept.length} of ${data.clips.length} clips`;
    at("more").hidden = kept.length <= limit;
  };
  const filter = () => {
    const [first, second] = [at("first").value, at("second").value];
    const [result, label, predicted] = ["result", "label", "predicted"].map((id) => at(id).value);
    const [speaker, text] = [at("speaker").value, at("text").value.trim().toLowerCase()];
    kept = [...data.clips.keys()].filter((n) => {
      const clip = data.clips[n];
      const own = said(first, n);
      const code = [own.label, said(second, n).label].map((k) => (k === clip[LABEL] ? "1" : "0")).join("");
      return (!result || code === result)
        && (!label || data.classes[clip[LABEL]] === label)
        && (!predicted || data.classes[own.label] === predicted)
        && (!speaker || clip[SPEAKER] === speaker)
        && (!text || `${clip[NAME]} ${clip[WORDS]}`.toLowerCase().includes(text));
    });
    const order = at("order").value;
    if (order !== "name") {
      const mistake = (n) => (said(first, n).label === data.clips[n][LABEL] ? -1 : said(first, n).sure);
      const key = order === "wrong" ? (n) => -mistake(n) : (n) => said(first, n).sure;
      kept.sort((a, b) => key(a) - key(b));
    }
    limit = STEP;
    show();
  };

  for (const form of document.querySelectorAll("form")) {
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => { compare(); filter(); });
  }
  at("more").addEventListener("click", () => { limit += STEP; show(); });
  compare();
  filter();
})();
