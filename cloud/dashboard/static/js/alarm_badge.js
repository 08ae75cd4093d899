// The number of alarms that nobody has acknowledged, beside the link to their page: asked for every
// fifteen seconds while the page is looked at. Without an answer it says that it is not known.
const PERIOD_MS = 15000;
const badge = document.getElementById("alarm-badge");
const shown = badge.querySelector(".alarm-count");

function show(text, label, unknown) {
  shown.textContent = text;
  shown.hidden = !text;
  shown.className = unknown ? "alarm-count unknown" : "alarm-count";
  badge.title = label;
  badge.setAttribute("aria-label", `${badge.firstChild.textContent.trim()}: ${label}`);
}

async function ask() {
  if (document.hidden) return;
  try {
    const answer = await fetch("/api/v1/alarms/count", { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const { unacknowledged: n } = await answer.json();
    show(n ? String(n) : "", n ? badge.dataset.some.replace("{n}", n) : badge.dataset.none, false);
  } catch (error) {
    show("?", badge.dataset.unknown, true);
  }
}

ask();
setInterval(ask, PERIOD_MS);
document.addEventListener("visibilitychange", ask);
