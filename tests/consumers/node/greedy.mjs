// Greedy decoding with a cache over stock ONNX Runtime: onnxruntime-node and onnxruntime-web have one interface, so both consumers share this.

// float16 numbers arrive as their bits.
const widen = bits => {
  const exponent = (bits >> 10) & 31, fraction = bits & 1023;
  const size = exponent === 31 ? (fraction ? NaN : Infinity) : exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24;
  return bits & 0x8000 ? -size : size;
};
const numbers = tensor => (tensor.data instanceof Uint16Array ? Float32Array.from(tensor.data, widen) : tensor.data);

// The prompt's ids, after the token that begins a text where the model was trained with one.
export function encode(tokenizer, config, text) {
  const bos = config.add_bos_token ? tokenizer.encode(config.bos_token).ids : [];
  return [...bos, ...tokenizer.encode(text, { add_special_tokens: false }).ids];
}

// Yields the likeliest next id, for ever: the reader stops. `decoder` is that of genai_config.json, `half` whether the cache is float16.
export async function* greedy(ort, session, decoder, half, prompt) {
  const int64 = (values, dims) => new ort.Tensor('int64', BigInt64Array.from(values, BigInt), dims);
  const names = pattern => Array.from({ length: decoder.num_hidden_layers }, (_, layer) => pattern.replace('%d', layer));
  const past = [...names(decoder.inputs.past_key_names), ...names(decoder.inputs.past_value_names)];
  const present = [...names(decoder.outputs.present_key_names), ...names(decoder.outputs.present_value_names)];
  const empty = () => (half ? ['float16', new Uint16Array(0)] : ['float32', new Float32Array(0)]);
  let cache = past.map(() => new ort.Tensor(...empty(), [1, decoder.num_key_value_heads, 0, decoder.head_size]));

  for (let ids = prompt, length = 0; ;) {
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
    yield next;
    length += ids.length;
    cache = present.map(name => outputs[name]);
    ids = [next];
  }
}
