// The number of alarms that nobody has acknowledged, beside the link to their page: asked for every
// fifteen seconds while the page is looked at. Without an answer it says that it is not known. On a
// plant's page it is the plant's, as its list of alarms is; those of other plants stand beside it.
const PERIOD_MS = 15000;
const badge = document.getElementById("alarm-badge");
const shown = badge.querySelector(".alarm-count");
const beside = badge.querySelector(".alarm-elsewhere");
const { plant, some, none, elsewhere, unknown } = badge.dataset;
const address = `/api/v1/alarms/count${plant ? `?plant=${encodeURIComponent(plant)}` : ""}`;

function show(text, label, others, isUnknown) {
  shown.textContent = text;
  shown.hidden = !text;
  shown.className = isUnknown ? "alarm-count unknown" : "alarm-count";
  beside.textContent = others;
  badge.title = label;
  badge.setAttribute("aria-label", `${badge.firstChild.textContent.trim()}: ${label}`);
}

async function ask() {
  if (document.hidden) return;
  try {
    const answer = await fetch(address, { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const { unacknowledged: n, elsewhere: m } = await answer.json();
    const others = m ? elsewhere.replace("{n}", m) : "";
    const own = n ? some.replace("{n}", n) : none;
    show(n ? String(n) : "", others ? `${own}, ${others}` : own, others, false);
  } catch (error) {
    show("?", unknown, "", true);
  }
}

ask();
setInterval(ask, PERIOD_MS);
document.addEventListener("visibilitychange", ask);
