
// A page of what a conformance suite found: the bytes of a case are drawn once somebody looks at it.

{
  const words = document.getElementById("words");
  const draw = (element) => {
    const lines = element.querySelector("script.records");
    if (!lines || !element.open) return;
    const box = make("div");
    lines.replaceWith(box);
    const panel = new Panel(box, JSON.parse(words.textContent), { timeline: false, open: true });
    for (const line of lines.textContent.split("\n")) {
      if (line !== "") panel.add(JSON.parse(line));
    }
  };
  // A link leads to a case, wherever it is folded away.
  const go = () => {
    const target = location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    for (let it = target; it; it = it.parentElement) if (it.tagName === "DETAILS") it.open = true;
    target?.scrollIntoView();
  };
  if (words) {
    for (const element of document.querySelectorAll("details.case")) {
      element.addEventListener("toggle", () => draw(element));
      if (element.open) draw(element);
    }
    window.addEventListener("hashchange", go);
    go();
  }
}
