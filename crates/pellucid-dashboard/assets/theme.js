// Light or dark: as the reader chose, or as the system has it. Runs before anything is drawn.
(() => {
  "use strict";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try {
      const name = localStorage.getItem("pellucid-theme");
      return name === "light" || name === "dark" ? name : null;
    } catch {
      // Without storage, the system decides.
      return null;
    }
  };
  const follow = () => {
    document.documentElement.dataset.theme = chosen() ?? (system.matches ? "dark" : "light");
  };
  system.addEventListener("change", follow);
  follow();
})();
