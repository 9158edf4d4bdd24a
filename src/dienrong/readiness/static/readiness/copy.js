// Copies the text of a field: <button data-copy="id of the field" data-done="…" hidden>.
"use strict";

for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", () => {
    field.select();
    // The older call works on pages that came over plain http as well.
    if (document.execCommand("copy")) button.textContent = button.dataset.done;
  });
}
