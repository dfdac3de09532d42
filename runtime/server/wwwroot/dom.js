// What every part of the page needs of the document.

export const field = id => document.getElementById(id);

export function element(name, properties, ...children) {
  const result = Object.assign(document.createElement(name), properties);
  result.append(...children);
  return result;
}

// Read aloud by screen readers.
export function say(text) {
  field('spoken').textContent = text;
}
