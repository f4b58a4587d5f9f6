"use strict";
(() => {
  const table = document.getElementById("scores");
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.sort ?? cell.textContent.trim().toLowerCase();
  };
  heads.forEach((head, column) => {
    head.setAttribute("aria-sort", "none");
    head.querySelector("button").addEventListener("click", () => {
      const numeric = head.classList.contains("number");
      const now = head.getAttribute("aria-sort");
      // The first click shows the largest number or the first name.
      const order = now === "none" ? (numeric ? "descending" : "ascending") : now === "ascending" ? "descending" : "ascending";
      heads.forEach((other) => other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const rows = [...body.rows].sort((a, b) => {
        const x = value(a, column), y = value(b, column);
        if (x === "" || y === "") return (x === "") - (y === "");
        return sign * (numeric ? Number(x) - Number(y) : x.localeCompare(y));
      });
      body.append(...rows);
    });
  });
  const benchmark = document.getElementById("benchmark");
  const text = document.getElementById("text");
  const others = document.getElementById("others");
  const shown = document.getElementById("shown");
  const filter = () => {
    let count = 0;
    for (const row of body.rows) {
      const keep = (!benchmark.value || row.dataset.benchmark === benchmark.value)
        && row.cells[1].textContent.toLowerCase().includes(text.value.trim().toLowerCase())
        && (others.checked || !row.classList.contains("other"));
      row.hidden = !keep;
      count += keep;
    }
    shown.textContent = `${count} of ${body.rows.length} rows`;
  };
  document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
  for (const control of [benchmark, text, others]) control.addEventListener("input", filter);
  filter();
})();
