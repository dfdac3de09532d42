// Loads a package with onnxruntime-web and writes a story greedily: the page needs a web server for files, and nothing behind it.
import * as ort from 'onnxruntime-web';
import { Tokenizer } from '@huggingface/tokenizers';
import { encode, greedy } from '/node/greedy.mjs';

const [form, story, status] = ['form', 'story', 'status'].map(id => document.getElementById(id));
const folder = new URL(new URLSearchParams(location.search).get('package') ?? 'package/', location.href);

async function read(name, as) {
  const response = await fetch(new URL(name, folder));
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${response.statusText}`);
  return response[as]();
}

async function load() {
  const [genai, config, vocabulary, manifest] = await Promise.all(
    ['genai_config.json', 'tokenizer_config.json', 'tokenizer.json', 'manifest.json'].map(name => read(name, 'json')));
  const { decoder, eos_token_id: eos } = genai.model;
  const weights = `${decoder.filename}.data`;
  const [graph, data] = await Promise.all([read(decoder.filename, 'arrayBuffer'), read(weights, 'arrayBuffer')]);
  // Threads share memory, which browsers allow where the server sends COOP and COEP headers; more than four gain nothing here.
  ort.env.wasm.numThreads = crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1;
  const session = await ort.InferenceSession.create(graph, { externalData: [{ path: weights, data }], logSeverityLevel: 3 });
  return { session, decoder, eos, config, half: manifest.cache === 'f16', tokenizer: new Tokenizer(vocabulary, config) };
}

async function write({ session, decoder, eos, config, half, tokenizer }, { prompt, tokens, ignoreEos }) {
  const generated = [];
  const text = () => prompt + tokenizer.decode(generated, { skip_special_tokens: true });
  const start = performance.now();
  const rate = () => Math.round(generated.length * 1000 / (performance.now() - start));
  for await (const id of greedy(ort, session, decoder, half, encode(tokenizer, config, prompt))) {
    generated.push(id);
    story.textContent = text();
    if ((id === eos && !ignoreEos) || generated.length === Number(tokens)) break;
    status.textContent = `${generated.length} tokens, ${rate()} tokens/s`;
  }
  return { runtime: ort.env.versions.web, threads: ort.env.wasm.numThreads, tokens: generated, text: text(), tokens_per_second: rate() };
}

// What the page shows last is also its result for a program that drives it.
const show = result => {
  status.textContent = result.error ?? `${result.tokens.length} tokens, ${result.tokens_per_second} tokens/s, ${result.threads} threads, onnxruntime-web ${result.runtime}`;
  window.result = result;
};
const fail = error => show({ error: String(error) });

try {
  const model = await load();
  const button = form.querySelector('button');
  form.addEventListener('submit', async event => {
    event.preventDefault();
    button.disabled = true;
    await write(model, Object.fromEntries(new FormData(form))).then(show, fail);
    button.disabled = false;
  });
  button.disabled = false;
  status.textContent = 'Ready.';
} catch (error) {
  fail(error);
}
