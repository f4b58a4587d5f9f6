/* The page's panels: probabilities under the pointer or at the playing position, and the choice of a clip. */
const percent = (p) => `${Math.round(100 * p)} %`;

function parts(line) {
  return { line, cursor: line.querySelector(".ugcl-cursor"), plot: line.querySelector(".ugcl-plot"),
    reading: line.querySelector(".ugcl-reading span"), values: [...line.querySelectorAll("[data-class] .ugcl-value")],
    duration: Number(line.dataset.duration), media: line.closest(".ugcl-clip").querySelector("video, audio") };
}

function nearest(times, time) {
  let best = 0;
  times.forEach((t, i) => { if (Math.abs(t - time) < Math.abs(times[best] - time)) best = i; });
  return best;
}

function show(line, time) {
  const { cursor, reading, values, duration } = parts(line);
  const windows = line.windows ??= JSON.parse(line.dataset.windows);
  if (!windows.times.length) return;
  time = Math.min(Math.max(time, 0), duration);
  const i = nearest(windows.times, time);
  const step = windows.times.length > 1 ? windows.times[1] - windows.times[0] : duration;
  const known = Math.abs(windows.times[i] - time) <= step;
  values.forEach((value, k) => { value.textContent = known ? percent(windows.p[i][k]) : "–"; });
  reading.textContent = `at ${time.toFixed(1)} s`;
  line.setAttribute("aria-valuenow", time.toFixed(2));
  const best = known ? windows.p[i].indexOf(Math.max(...windows.p[i])) : -1;
  const rows = [...line.querySelectorAll("[data-class]")];
  rows.forEach((row, k) => row.classList.toggle("ugcl-top", k === best));
  const text = best < 0 ? "nothing to read" : `${rows[best].dataset.class} ${percent(windows.p[i][best])}`;
  line.setAttribute("aria-valuetext", `${time.toFixed(1)} seconds: ${text}`);
  cursor.style.left = `${(100 * time) / duration}%`;
  cursor.hidden = false;
}

function whole(line) {
  const { cursor, reading, values, media } = parts(line);
  if (media && (!media.paused || media.currentTime > 0) && !media.ended) return show(line, media.currentTime);
  values.forEach((value) => { value.textContent = value.dataset.whole; });
  line.querySelectorAll(".ugcl-top").forEach((row) => row.classList.remove("ugcl-top"));
  reading.textContent = "whole clip";
  cursor.hidden = true;
}

function under(line, event) {
  const box = parts(line).plot.getBoundingClientRect();
  return ((event.clientX - box.left) / box.width) * parts(line).duration;
}

function seek(line, time) {
  const { media, duration } = parts(line);
  if (media) media.currentTime = Math.min(Math.max(time, 0), duration);
  show(line, time);
}

function follow(media) {
  const line = media.closest(".ugcl-clip").querySelector(".ugcl-timeline");
  const frame = () => {
    if (media.paused || !line.isConnected) return;
    show(line, media.currentTime);
    requestAnimationFrame(frame);
  };
  if (line) requestAnimationFrame(frame);
}

const lineOf = (event) => event.target.closest?.(".ugcl-timeline");
element.addEventListener("pointermove", (event) => { const line = lineOf(event); if (line) show(line, under(line, event)); });
element.addEventListener("pointerout", (event) => {
  const line = lineOf(event);
  if (line && !line.contains(event.relatedTarget)) whole(line);
});
element.addEventListener("click", (event) => {
  const line = lineOf(event), button = event.target.closest("[data-clip]");
  if (line) seek(line, under(line, event));
  if (button) trigger("select", { index: Number(button.dataset.clip) });
});
element.addEventListener("keydown", (event) => {
  const line = lineOf(event);
  if (!line) return;
  const { media, duration } = parts(line), now = Number(line.getAttribute("aria-valuenow"));
  const jump = { ArrowRight: 0.2, ArrowLeft: -0.2, PageUp: 1, PageDown: -1, Home: -duration, End: duration }[event.key];
  if (jump !== undefined) seek(line, now + jump);
  else if (event.key === " " && media) media.paused ? media.play() : media.pause();
  else return;
  event.preventDefault();
});
element.addEventListener("focusout", (event) => { const line = lineOf(event); if (line) whole(line); });
element.addEventListener("play", (event) => follow(event.target), true);
for (const name of ["seeked", "pause", "ended"]) {
  element.addEventListener(name, (event) => {
    const line = event.target.closest(".ugcl-clip")?.querySelector(".ugcl-timeline");
    if (line) whole(line);
  }, true);
}
