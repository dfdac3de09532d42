// Writes a story greedily with stock ONNX Runtime for Node.js: no library of ours, only the package folder.
// usage: node generate.mjs PACKAGE [--prompt "Once upon a time"] [--tokens 64] [--ignore-eos] [--runtime onnxruntime-node]
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Tokenizer } from '@huggingface/tokenizers';
import { encode, greedy } from './greedy.mjs';

const { values: options, positionals: [folder] } = parseArgs({
  allowPositionals: true,
  options: {
    prompt: { type: 'string', default: 'Once upon a time' },
    tokens: { type: 'string', default: '64' },
    'ignore-eos': { type: 'boolean', default: false },
    runtime: { type: 'string', default: 'onnxruntime-node' },
  },
});
const require = createRequire(import.meta.url);
const ort = require(options.runtime);
const read = name => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const { decoder, eos_token_id: eos } = read('genai_config.json').model;
const config = read('tokenizer_config.json');
const tokenizer = new Tokenizer(read('tokenizer.json'), config);
const session = await ort.InferenceSession.create(join(folder, decoder.filename), { logSeverityLevel: 3 });

const prompt = encode(tokenizer, config, options.prompt);
const generated = [];
const start = performance.now();
for await (const id of greedy(ort, session, decoder, read('manifest.json').cache === 'f16', prompt)) {
  generated.push(id);
  if ((id === eos && !options['ignore-eos']) || generated.length === Number(options.tokens)) break;
}
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({
  runtime: require(`${options.runtime}/package.json`).version,
  tokens: generated,
  text: options.prompt + tokenizer.decode(generated, { skip_special_tokens: true }),
  tokens_per_second: Math.round(generated.length / seconds),
}));
