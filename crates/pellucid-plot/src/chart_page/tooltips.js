(() => {
  "use strict";
  const tip = document.getElementById("tip");
  const told = new Map();

  function show(mark, x, y) {
    tip.textContent = told.get(mark);
    tip.hidden = false;
    const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
    const above = y - tip.offsetHeight - 12;
    tip.style.left = window.scrollX + Math.max(8, Math.min(x + 12, room)) + "px";
    tip.style.top = window.scrollY + (above > 4 ? above : y + 18) + "px";
  }

  function hide() {
    tip.hidden = true;
  }

  function go(marks, from, to) {
    from.tabIndex = -1;
    marks[to].tabIndex = 0;
    marks[to].focus();
  }

  for (const svg of document.querySelectorAll("svg.marks")) {
    const marks = [...svg.querySelectorAll("g.mark")];
    marks.forEach((mark, index) => {
      const title = mark.querySelector("title");
      told.set(mark, title.textContent);
      mark.setAttribute("aria-label", title.textContent);
      mark.setAttribute("role", "img");
      mark.tabIndex = index === 0 ? 0 : -1;
      title.remove();
    });
    svg.addEventListener("pointermove", (event) => {
      const mark = event.target.closest("g.mark");
      if (mark) show(mark, event.clientX, event.clientY);
      else hide();
    });
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("focusin", (event) => {
      const mark = event.target.closest("g.mark");
      if (!mark || !mark.matches(":focus-visible")) return;
      const box = mark.getBoundingClientRect();
      show(mark, box.left + box.width / 2, box.top);
    });
    svg.addEventListener("focusout", hide);
    svg.addEventListener("keydown", (event) => {
      const at = marks.indexOf(event.target);
      if (at < 0) return;
      const steps = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: marks.length - 1 };
      if (event.key === "Escape") hide();
      if (!(event.key in steps)) return;
      event.preventDefault();
      go(marks, event.target, Math.max(0, Math.min(marks.length - 1, steps[event.key])));
    });
  }
})();
