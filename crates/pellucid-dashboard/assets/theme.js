// Light or dark: as the system has it, or as the reader chose. Runs before anything is drawn.
(() => {
  "use strict";
  try {
    const chosen = localStorage.getItem("pellucid-theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // Without storage, the system decides.
  }
})();
