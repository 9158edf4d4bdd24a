// Small conveniences; every page works without them.
"use strict";

// Floating menus close when the person clicks elsewhere or presses Escape.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.person[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.person[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// Show or hide a password: <button data-reveal="id of the input" data-show="…" data-hide="…" hidden>.
for (const button of document.querySelectorAll("[data-reveal]")) {
  const input = document.getElementById(button.dataset.reveal);
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
    button.querySelector("[data-word]").textContent = shown ? button.dataset.show : button.dataset.hide;
  });
}

// Chart or table of a figure: <button data-toggle-figure hidden> inside <figure class="figure">.
for (const button of document.querySelectorAll("[data-toggle-figure]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const figure = button.closest(".figure");
    const table = figure.querySelector("[data-figure-table]");
    const drawing = figure.querySelector("[data-figure-drawing]");
    const showTable = table.hidden;
    table.hidden = !showTable;
    drawing.hidden = showTable;
    button.setAttribute("aria-pressed", String(showTable));
    button.querySelector("[data-word]").textContent = showTable ? button.dataset.chart : button.dataset.table;
  });
}
for (const table of document.querySelectorAll("[data-figure-table][data-start-hidden]")) table.hidden = true;

// An error summary takes the focus, so that it is read first.
document.querySelector("[data-errors]")?.focus();

// On a narrow screen the row of links is scrolled so that the open page's link can be seen.
for (const link of document.querySelectorAll(".links a[aria-current]")) {
  const row = link.closest("nav");
  if (row.scrollWidth > row.clientWidth) row.scrollLeft = link.offsetLeft - row.clientWidth / 3;
}
