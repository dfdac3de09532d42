// A request to the server and its stream of events. Completions and chat differ on the wire; what comes out here is the same for both:
// { text, tokens: [{ id, text, probability, top: [{ text, probability }], experts }], finish, usage, timings }
// of which a token's text and probability are missing where the server does not send any log-probabilities.

export class ServerError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export async function call(path, key, body, signal) {
  const headers = { ...(key && { Authorization: `Bearer ${key}` }), ...(body && { 'Content-Type': 'application/json' }) };
  let response;
  try {
    response = await fetch(path, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body), signal });
  } catch (error) {
    throw error.name === 'AbortError' ? error : new ServerError(0, 'The server does not answer. Is it running?');
  }
  if (!response.ok) {
    const answer = await response.json().catch(() => null);
    throw new ServerError(response.status, answer?.error?.message ?? `The server answered ${response.status} ${response.statusText}.`);
  }
  return response;
}

export async function* stream(path, key, body, signal) {
  const response = await call(path, key, body, signal);
  let rest = '';
  for await (const part of parts(response.body.pipeThrough(new TextDecoderStream()))) {
    const events = (rest + part).split('\n\n');
    rest = events.pop();
    for (const event of events) {
      const data = event.split('\n').filter(line => line.startsWith('data:')).map(line => line.slice(5).trimStart()).join('\n');
      if (data === '[DONE]') return;
      if (data) yield read(JSON.parse(data));
    }
  }
  throw new ServerError(0, 'The server broke the answer off.');
}

// Not every browser can loop over a stream itself.
async function* parts(readable) {
  const reader = readable.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}

function read(chunk) {
  if (chunk.error) throw new ServerError(0, chunk.error.message);
  const choice = chunk.choices?.[0];
  return {
    text: choice?.text ?? choice?.delta?.content ?? '',
    tokens: choice ? tokens(choice) : [],
    finish: choice?.finish_reason,
    usage: chunk.usage,
    timings: chunk.timings ?? choice?.timings,
  };
}

function tokens({ logprobs, token_ids: ids, experts }) {
  const more = i => ({ id: ids?.[i], experts: experts?.[i] });
  if (logprobs?.content) {
    return logprobs.content.map((entry, i) => ({ text: entry.token, probability: Math.exp(entry.logprob), top: entry.top_logprobs.map(alternative), ...more(i) }));
  }
  if (!logprobs) return (ids ?? []).map((_, i) => ({ text: '', top: [], ...more(i) }));
  return logprobs.tokens.map((text, i) => ({
    text,
    probability: Math.exp(logprobs.token_logprobs[i]),
    // An object's keys have no order to rely on.
    top: Object.entries(logprobs.top_logprobs?.[i] ?? {}).map(([token, logprob]) => alternative({ token, logprob })).sort((a, b) => b.probability - a.probability),
    ...more(i),
  }));
}

const alternative = ({ token, logprob }) => ({ text: token, probability: Math.exp(logprob) });
