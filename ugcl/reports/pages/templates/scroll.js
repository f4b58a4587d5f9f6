"use strict";
(() => {
  // What is wider than its place says so, and fades at the side where more is to come.
  const fit = (box) => {
    const more = box.scrollWidth - box.clientWidth;
    box.classList.toggle("before", box.scrollLeft > 1);
    box.classList.toggle("after", more - box.scrollLeft > 1);
    box.hint.hidden = more <= 1;
  };
  const boxes = [...document.querySelectorAll(".scroll")];
  for (const box of boxes) {
    box.hint = document.createElement("p");
    box.hint.className = "hint";
    box.hint.textContent = "↔ wider than the window: scroll sideways";
    box.after(box.hint);
    box.addEventListener("scroll", () => fit(box), { passive: true });
    for (const image of box.querySelectorAll("img")) image.addEventListener("load", () => fit(box));
    fit(box);
  }
  const all = () => boxes.forEach(fit);
  addEventListener("resize", all);
  addEventListener("load", all);
  document.addEventListener("toggle", all, true);
})();
