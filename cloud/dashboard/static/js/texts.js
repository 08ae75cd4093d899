// Texts of the page's language and what else is embedded in the page as data; null where it is not.
export function embedded(id) {
  const node = document.getElementById(id);
  return node && JSON.parse(node.textContent);
}

const strings = embedded("strings");
export const firstSnapshot = embedded("snapshot");
export const language = document.documentElement.lang.slice(0, 2);

export const has = (key) => Object.prototype.hasOwnProperty.call(strings, key);

export function t(key, values) {
  if (!has(key)) throw new Error(`no text ${key}`);
  return strings[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

// A text whose key is made from data: the fallback key takes the data itself.
export const tOr = (key, fallback, values) => (has(key) ? t(key, values) : t(fallback, values));
