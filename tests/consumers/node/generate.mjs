// Writes a story greedily with stock ONNX Runtime for Node.js: no library of ours, only the package folder.
// usage: node generate.mjs PACKAGE [--prompt "Once upon a time"] [--tokens 64] [--ignore-eos] [--runtime onnxruntime-node]
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Tokenizer } from '@huggingface/tokenizers';

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
const int64 = (values, dims) => new ort.Tensor('int64', BigInt64Array.from(values, BigInt), dims);
const names = pattern => Array.from({ length: decoder.num_hidden_layers }, (_, layer) => pattern.replace('%d', layer));
const past = [...names(decoder.inputs.past_key_names), ...names(decoder.inputs.past_value_names)];
const present = [...names(decoder.outputs.present_key_names), ...names(decoder.outputs.present_value_names)];
const half = read('manifest.json').cache === 'f16';
const empty = () => (half ? ['float16', new Uint16Array(0)] : ['float32', new Float32Array(0)]);
let cache = past.map(() => new ort.Tensor(...empty(), [1, decoder.num_key_value_heads, 0, decoder.head_size]));

// float16 numbers arrive as their bits.
const widen = bits => {
  const exponent = (bits >> 10) & 31, fraction = bits & 1023;
  const size = exponent === 31 ? (fraction ? NaN : Infinity) : exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24;
  return bits & 0x8000 ? -size : size;
};
const numbers = tensor => (tensor.data instanceof Uint16Array ? Float32Array.from(tensor.data, widen) : tensor.data);

const bos = config.add_bos_token ? tokenizer.encode(config.bos_token).ids : [];
const prompt = [...bos, ...tokenizer.encode(options.prompt, { add_special_tokens: false }).ids];
const generated = [];
const start = performance.now();
for (let ids = prompt, length = 0; generated.length < Number(options.tokens);) {
  const feeds = {
    input_ids: int64(ids, [1, ids.length]),
    attention_mask: int64(Array(length + ids.length).fill(1), [1, length + ids.length]),
    position_ids: int64(ids.map((_, i) => length + i), [1, ids.length]),
  };
  past.forEach((name, i) => { feeds[name] = cache[i]; });
  const outputs = await session.run(feeds);
  const [, rows, width] = outputs.logits.dims;
  const last = numbers(outputs.logits).subarray((rows - 1) * width);
  const next = last.reduce((best, score, id) => (score > last[best] ? id : best), 0);
  generated.push(next);
  if (next === eos && !options['ignore-eos']) break;
  length += ids.length;
  cache = present.map(name => outputs[name]);
  ids = [next];
}
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({
  runtime: require(`${options.runtime}/package.json`).version,
  tokens: generated,
  text: options.prompt + tokenizer.decode(generated, { skip_special_tokens: true }),
  tokens_per_second: Math.round(generated.length / seconds),
}));
