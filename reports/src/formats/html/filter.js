"use strict";
// Filters the checks, and leads to what is folded. The page reads without this.
(() => {
  const form = document.getElementById("filter");
  const sections = [...document.querySelectorAll("#filter ~ details.section")].map((section) => ({
    section,
    clauses: [...section.querySelectorAll("details.clause")].map((clause) => ({
      clause,
      level: clause.dataset.level || "",
      name: (clause.querySelector("summary .id") || clause).textContent.toLowerCase(),
      checks: [...clause.querySelectorAll(".check")].map((check) => ({
        check,
        id: check.dataset.id.toLowerCase(),
        verdicts: check.dataset.verdicts.split(" "),
      })),
    })),
  }));

  // Hides the checks that the reader does not ask for, and what is empty without them.
  const apply = () => {
    const asked = new FormData(form);
    const text = asked.get("text").trim().toLowerCase();
    const verdicts = new Set(asked.getAll("verdict"));
    const [axis, level] = [asked.get("axis"), asked.get("level")];
    const [unexpected, differs] = [asked.has("unexpected"), asked.has("differs")];
    const active = Boolean(text || verdicts.size || axis || level || unexpected || differs);
    let shown = 0;
    let all = 0;
    for (const { section, clauses } of sections) {
      let inSection = 0;
      for (const { clause, level: own, name, checks } of clauses) {
        let inClause = 0;
        for (const { check, id, verdicts: got } of checks) {
          const fits = (!level || own === level)
            && (!text || id.includes(text) || name.includes(text))
            && (!verdicts.size || got.some((verdict) => verdicts.has(verdict)))
            && (!axis || check.dataset.axis === axis)
            && (!unexpected || "unexpected" in check.dataset)
            && (!differs || "differs" in check.dataset);
          check.hidden = !fits;
          inClause += fits;
        }
        all += checks.length;
        clause.hidden = active && !inClause;
        clause.open = active && inClause > 0;
        inSection += inClause;
      }
      section.hidden = active && !inSection;
      section.open = active && inSection > 0;
      shown += inSection;
    }
    form.elements.count.value = active ? `${shown} of ${all} checks` : "";
  };

  // A link leads to its target even when that is filtered away or folded.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let at = target; at; at = at.parentElement) {
      at.hidden = false;
      if (at instanceof HTMLDetailsElement) at.open = true;
    }
    const own = target.querySelector(":scope > details");
    if (own) own.open = true;
    target.scrollIntoView();
  };

  if (form) {
    form.hidden = false;
    form.addEventListener("input", apply);
    form.addEventListener("reset", () => setTimeout(apply));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      apply();
    });
  }
  addEventListener("hashchange", reveal);
  reveal();
})();
