// Talks to the server with OpenAI's own client and prints what came back as JSON.
// usage: node openai.mjs URL KEY
import OpenAI from 'openai';

const [url, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL: new URL('v1/', url).href, apiKey, maxRetries: 0 });
const found = {};
const greedy = { temperature: 0, max_tokens: 24 };
const failure = async promise => promise.then(
  () => ({ kind: 'none' }),
  ({ constructor, status, type, param, code, message }) => ({ kind: constructor.name, status, type, param, code, message }));

const models = [];
for await (const model of client.models.list()) models.push(model);
const model = models[0].id;
found.models = models;
found.model = await client.models.retrieve(model);

// One answer, whole and streamed.
const prompt = 'Once upon a time';
const whole = await client.completions.create({ model, prompt, ...greedy, logprobs: 3 });
found.completion = whole;
found.streamed = { text: '', tokens: [] };
for await (const chunk of await client.completions.create({ model, prompt, ...greedy, logprobs: 3, stream: true, stream_options: { include_usage: true } })) {
  const [choice] = chunk.choices;
  found.streamed.text += choice?.text ?? '';
  found.streamed.tokens.push(...choice?.logprobs?.tokens ?? []);
  found.streamed.finish ??= choice?.finish_reason;
  found.streamed.usage = chunk.usage ?? found.streamed.usage;
}
const several = await client.completions.create({ model, prompt: [prompt, prompt], n: 2, max_tokens: 8, temperature: 1, seed: 7 });
found.several = several.choices.map(({ index, text }) => ({ index, text }));

// A conversation.
const messages = [{ role: 'system', content: 'Tell stories.' }, { role: 'user', content: prompt }];
const chat = await client.chat.completions.create({ model, messages, ...greedy, logprobs: true, top_logprobs: 2 });
found.chat = { role: chat.choices[0].message.role, text: chat.choices[0].message.content, logprobs: chat.choices[0].logprobs.content, usage: chat.usage };
found.chatStreamed = { text: '', logprobs: [] };
for await (const chunk of await client.chat.completions.create({ model, messages, ...greedy, logprobs: true, top_logprobs: 2, stream: true, stream_options: { include_usage: true } })) {
  const [choice] = chunk.choices;
  found.chatStreamed.role ??= choice?.delta.role;
  found.chatStreamed.text += choice?.delta.content ?? '';
  found.chatStreamed.logprobs.push(...choice?.logprobs?.content ?? []);
  found.chatStreamed.finish ??= choice?.finish_reason;
  found.chatStreamed.usage = chunk.usage ?? found.chatStreamed.usage;
}

// Breaking off in the middle, by the client's own means.
const long = await client.completions.create({ model, prompt, temperature: 0, max_tokens: 100_000, ignore_eos: true, stream: true });
let chunks = 0;
for await (const _ of long) {
  if (++chunks === 3) long.controller.abort();
}
found.aborted = chunks;

found.failures = {
  key: await failure(new OpenAI({ baseURL: client.baseURL, apiKey: 'wrong', maxRetries: 0 }).models.list()),
  model: await failure(client.models.retrieve('another')),
  value: await failure(client.completions.create({ model, prompt, temperature: 3 })),
  prompt: await failure(client.completions.create({ model, prompt: 'x '.repeat(40_000) })),
  tools: await failure(client.chat.completions.create({ model, messages, tools: [{ type: 'function', function: { name: 'f', parameters: {} } }] })),
};
console.log(JSON.stringify(found));
