// The settings of a request: sliders and fields in, fields of the request out. A setting that changes nothing is left out.

import { field } from './dom.js';

const sliders = [
  // name in the request, label, least, most, step, default, value that changes nothing, what it does
  ['max_tokens', 'Max tokens', 1, 1024, 1, 200, null, 'The answer ends after so many tokens, if not before'],
  ['temperature', 'Temperature', 0, 2, 0.01, 0.8, null, 'Below 1 the likely become likelier; 0 always takes the likeliest'],
  ['top_k', 'Top-k', 0, 200, 1, 0, 0, 'Keeps the k likeliest tokens; 0 keeps all'],
  ['top_p', 'Top-p', 0.01, 1, 0.01, 0.95, 1, 'Keeps the fewest likely tokens that hold this probability; 1 keeps all'],
  ['min_p', 'Min-p', 0, 1, 0.01, 0, 0, 'Keeps tokens at least this fraction as likely as the likeliest; 0 keeps all'],
  ['typical_p', 'Typical', 0.01, 1, 0.01, 1, 1, 'Keeps the tokens nearest to the expected surprise that hold this probability; 1 keeps all'],
  ['repetition_penalty', 'Repetition penalty', 0.5, 2, 0.01, 1, 1, 'Above 1, tokens of the prompt and the answer become less likely'],
  ['presence_penalty', 'Presence penalty', -2, 2, 0.01, 0, 0, 'Above 0, tokens that the answer has already become less likely'],
  ['frequency_penalty', 'Frequency penalty', -2, 2, 0.01, 0, 0, 'Above 0, tokens become less likely with every use in the answer'],
];

export function build() {
  for (const [name, label, min, max, step, value, , hint] of sliders) {
    const row = field('slider').content.cloneNode(true);
    const [text, [box, range]] = [row.querySelector('label'), row.querySelectorAll('input')];
    text.textContent = label;
    text.htmlFor = box.id = name;
    row.firstElementChild.title = hint;
    range.setAttribute('aria-label', `${label}, slider`);
    for (const input of [box, range]) Object.assign(input, { min, max, step, value, defaultValue: value });
    box.addEventListener('input', () => { range.value = box.value; });
    range.addEventListener('input', () => { box.value = range.value; });
    field('sliders').append(row);
  }
}

export function limit(contextLength) {
  for (const input of field('max_tokens').parentElement.querySelectorAll('input')) input.max = contextLength;
}

export function reset() {
  for (const input of field('sampling').querySelectorAll('input, textarea')) input.value = input.defaultValue;
}

// Throws what is wrong with a field, in words for the reader.
export function request() {
  const body = {};
  for (const [name, label, min, , , , idle] of sliders) {
    const input = field(name);
    if (!input.checkValidity()) throw new Error(`${label}: expected a number from ${min} to ${input.max} in steps of ${input.step}, not “${input.value}”.`);
    if (input.valueAsNumber !== idle) body[name] = input.valueAsNumber;
  }
  const seed = field('seed').value.trim();
  if (seed && !/^\d{1,15}$/.test(seed)) throw new Error(`Seed: expected a whole number of up to 15 digits, not “${seed}”.`);
  if (seed) body.seed = Number(seed);
  const stops = field('stops').value.split('\n').filter(Boolean).map(line => line.replaceAll('\\n', '\n').replaceAll('\\t', '\t'));
  if (stops.length) body.stop = stops;
  const schema = field('schema').value.trim();
  if (schema) {
    try {
      body.response_format = { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: JSON.parse(schema) } };
    } catch (error) {
      throw new Error(`JSON schema: ${error.message}`);
    }
  }
  return body;
}
