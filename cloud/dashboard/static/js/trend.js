// A point over 10 minutes to a year: chart by aggregates with gaps as gaps, what the cursor is on, the
// same in words, and as CSV (of the series) and PNG. What a view has live, it shows for 10 minutes.
import { address, joined, pieces, RANGES, summed } from "./buckets.js";
import { trendChart } from "./chart.js";
import { h, setAttr, setText } from "./dom.js";
import { age, number, unitText } from "./format.js";
import { get } from "./polled.js";
import { language, t } from "./texts.js";
import { dateTime, zoneOffset } from "./times.js";

const AGAIN_MS = 60000; // a minute is the shortest bucket
const LIVE = RANGES[0];

// live: the node that shows the last ten minutes. Without it they are not offered.
export function trendView(model, site, { live, limit }) {
  const ranges = live ? RANGES : RANGES.slice(1);
  const buttons = ranges.map(([name]) => h("button", { type: "button" }, t(`trend.${name}`)));
  const host = h("div", { class: "chart", role: "img", tabindex: "0" });
  const [head, at, words, data] = [h("p", { class: "title" }), h("p", { class: "cursor" }), h("p", { class: "words" }), h("span")];
  const png = h("button", { type: "button" }, t("trend.png"));
  const drawn = h("div", { class: "drawn" }, head, host, at, words, h("p", { class: "exports unprinted" }, data, " ", png));
  const node = h("div", { class: "trend" }, h("div", { class: "switch unprinted", role: "group", "aria-label": t("trend.range") }, ...buttons),
    ...(live ? [live] : []), drawn);
  const view = { node };
  let [range, point, rows, chart, cursor, askedAt] = [ranges[0], null, null, null, 0, -Infinity];

  const isLive = () => range === LIVE;
  const whole = (asked) => ({ from: asked[0].from, to: asked[asked.length - 1].to });
  const title = () => `${point} · ${t(`trend.${range[0]}`)}${rows ? ` · ${unitText(rows.unit) || "–"}` : ""} ${zoneOffset(model.serverNow(), model.zone)}`;

  const clear = () => {
    if (chart) chart.remove();
    [chart, rows, cursor] = [null, null, 0];
    setText(at, "");
  };

  const tell = (index) => {
    if (!rows || index === null || index === undefined) return;
    cursor = index;
    setText(at, rowText(model, rows, index));
  };

  // Draws what came, unless another point or range was chosen meanwhile.
  const draw = (asked, answers) => {
    clear();
    const failed = answers.find((one) => one.body === null);
    const span = whole(asked);
    if (!failed) rows = joined(answers.map((one) => one.body));
    setText(head, title());
    setAttr(host, "aria-label", t("trend.aria", { title: title() }));
    png.hidden = true;
    if (!rows) {
      setText(words, failed ? t("trend.away") : t("trend.empty"));
      return;
    }
    chart = trendChart(host, {
      zone: model.zone, unit: unitText(rows.unit), from: span.from / 1000, to: span.to / 1000, rows, pointed: tell,
      limitV: limit ? limit().volts : null, limitText: limit ? limit().text : "",
    });
    png.hidden = !chart;
    setText(words, `${chart ? "" : `${t("trace.nolib")} `}${summaryText(model, rows, span)}`);
  };

  const load = async () => {
    askedAt = model.now();
    const asked = pieces(range[1], model.serverNow());
    const mine = [point, range];
    data.textContent = "";
    data.append(...asked.map((piece, n) => h("a", { href: address(site.api, point, piece, "csv"), download: "" },
      asked.length > 1 ? `CSV ${n + 1}/${asked.length} ` : "CSV ")));
    const answers = await Promise.all(asked.map((piece) => get(address(site.api, mine[0], piece, "json"))));
    if (mine[0] === point && mine[1] === range) draw(asked, answers);
  };

  const choose = (chosen) => {
    range = chosen;
    buttons.forEach((button, n) => button.setAttribute("aria-pressed", String(ranges[n] === range)));
    drawn.hidden = isLive();
    if (live) live.hidden = !isLive();
    clear();
    if (isLive() || point === null) return;
    setText(head, title());
    setText(words, t("trend.asking"));
    load();
  };
  buttons.forEach((button, n) => button.addEventListener("click", () => choose(ranges[n])));
  host.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !chart) return;
    event.preventDefault();
    cursor = Math.max(0, Math.min(rows.times.length - 1, cursor + step));
    chart.point(cursor);
    site.say(at.textContent);
  });
  png.addEventListener("click", async () => save(await chart.picture([title(), words.textContent]), `${site.plant}-${point}-${range[0]}.png`));

  view.show = (id) => {
    point = id;
    choose(range);
  };
  view.update = () => {
    if (!model.frozen && point !== null && !isLive() && model.now() - askedAt >= AGAIN_MS) load();
  };
  choose(range);
  return view;
}

function save(blob, name) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

// What the bucket under the cursor says.
function rowText(model, rows, index) {
  const time = `${dateTime(rows.begins[index], model.zone)} ${zoneOffset(rows.begins[index], model.zone)}`;
  const quality = rows.worst[index] ? ` · ${qualityText(model, rows.worst[index])}` : "";
  if (!rows.count[index]) return t("trend.at.none", { time }) + quality;
  const value = (number_) => number(number_, rows.decimals);
  const values = { low: value(rows.low[index]), high: value(rows.high[index]), unit: unitText(rows.unit), n: rows.count[index] };
  const mean = rows.mean[index] === null ? "–" : value(rows.mean[index]);
  const grows = rows.openMs !== null && rows.begins[index] >= rows.openMs ? ` · ${t("trend.grows")}` : "";
  return t("trend.at", { time, mean, ...values }) + grows + quality;
}

function qualityText(model, code) {
  const sentences = model.state.qualities[code];
  return sentences ? sentences[language === "zh" ? 1 : 0] : String(code);
}

function summaryText(model, rows, span) {
  const { low, high, emptyMs } = summed(rows, span);
  const by = t(`trend.by.${rows.stepMs / 1000}`);
  const through = `${dateTime(rows.throughMs, model.zone)} ${zoneOffset(rows.throughMs, model.zone)}`;
  const value = (number_) => (number_ === null ? "–" : number(number_, rows.decimals));
  const said = t("trend.summary", { by, low: value(low), high: value(high), unit: unitText(rows.unit), empty: age(emptyMs), through });
  return rows.others ? `${said} ${t("trend.others", { n: rows.others })}` : said;
}
