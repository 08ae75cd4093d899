// The one way nodes are made: text stays text, whatever a plant or a point calls itself.
const SVG = "http://www.w3.org/2000/svg";

// Until a module runs, a page that needs one says which browsers do: scripts may be off, or the
// browser older than the words that these modules are written in.
const tooOld = document.getElementById("too-old");
if (tooOld) tooOld.remove();

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on") || name === "style") throw new Error(`attribute ${name} not allowed`);
    node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

export const h = (tag, attributes, ...children) =>
  build(document.createElement(tag), attributes, children);

export const svg = (tag, attributes, ...children) =>
  build(document.createElementNS(SVG, tag), attributes, children);

// Patching touches the page only when something differs: focus, selection and a screen reader's
// place survive every tick.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttr(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

// Keep exactly one of several classes.
export function setOneClass(node, all, chosen) {
  for (const name of all) node.classList.toggle(name, name === chosen);
}

// The diamond that stands for "do not trust this", beside the purple.
export const diamond = () =>
  svg("svg", { viewBox: "0 0 16 16", class: "symbol", "aria-hidden": "true" },
    svg("path", { d: "M8 0l8 8-8 8-8-8z", fill: "#6a2d8f" }),
    svg("path", { d: "M7 3.5h2V9H7zM7 10.5h2v2H7z", fill: "#fff" }));
