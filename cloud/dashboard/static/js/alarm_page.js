// Keeps the page of alarms, and a front's pages, fresh: every ten seconds it asks for itself and puts in what is new. A
// row that is the same stays the same node, and one that somebody types in is left alone, so that
// no click, focus or reason is lost. Without an answer a banner says since when the page stands.
const PERIOD_MS = 10000;
const main = document.getElementById("content");
const frozen = document.getElementById("frozen");
const clock = document.getElementById("clock");

const isBusy = (node) => node.contains(document.activeElement) || node.querySelector("details[open]");

function keyed(box) {
  return new Map([...box.children].map((node) => [node.dataset.key, node]));
}

function freshen(old, next) {
  // times that only grow older are put into the row that stands
  const ages = [...next.querySelectorAll(".fresh")];
  [...old.querySelectorAll(".fresh")].forEach((node, n) => {
    if (ages[n] && node.textContent !== ages[n].textContent) node.textContent = ages[n].textContent;
  });
  return old.isEqualNode(next) || isBusy(old) ? old : next;
}

function patch(box, next) {
  if (!box.querySelector("[data-key]") && !next.querySelector("[data-key]")) {
    if (!box.isEqualNode(next)) box.replaceChildren(...next.childNodes); // a line of text
    return;
  }
  const known = keyed(box);
  let place = box.firstElementChild;
  for (const node of [...next.children]) {
    const old = known.get(node.dataset.key);
    const chosen = old ? freshen(old, node) : node;
    if (old && chosen !== old) old.replaceWith(chosen);
    if (place === old) place = chosen;
    if (chosen === place) place = place.nextElementSibling;
    else box.insertBefore(chosen, place);
    known.delete(node.dataset.key);
  }
  for (const node of known.values()) if (!isBusy(node)) node.remove();
}

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const box of document.querySelectorAll("[data-live]")) {
      const next = page.querySelector(`[data-live="${box.dataset.live}"]`);
      if (next) patch(box, next);
    }
    frozen.hidden = true;
  } catch (error) {
    if (!frozen.hidden) return;
    frozen.textContent = main.dataset.frozen.replace("{time}", clock.textContent);
    frozen.hidden = false;
  }
}

setInterval(refresh, PERIOD_MS);
document.addEventListener("visibilitychange", refresh);
