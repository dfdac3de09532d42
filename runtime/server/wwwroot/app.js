// The playground: takes a text or a conversation, streams what the model writes, and shows how it got there.
import { element, field } from './dom.js';
import { ExpertMap } from './experts.js';
import { build, limit, request, reset } from './settings.js';
import { call, stream } from './stream.js';
import { TokenText } from './tokens.js';

const [sheet, prompt, output, turns, composer] = ['sheet', 'prompt', 'output', 'turns', 'composer'].map(field);
const map = new ExpertMap(wanted => answer?.highlight(wanted));
let model = null;
let conversation = [];
let answer = null;
let running = null;

const chatting = () => document.querySelector('[name=mode]:checked').value === 'chat';
const key = () => field('key').value;

function fail(error) {
  field('error').textContent = error.message;
  field('error').hidden = false;
  if (error.status === 401) {
    field('access').open = true;
    field('key').focus();
  }
}

async function connect() {
  field('error').hidden = true;
  try {
    const { data } = await (await call('v1/models', key())).json();
    model = data[0];
  } catch (error) {
    return fail(error);
  }
  const experts = model.routed_experts;
  document.title = `${model.id} – Playground`;
  field('model').textContent = model.id;
  field('about').textContent = [
    model.max_model_len && `${model.max_model_len} tokens of context`,
    experts && `${experts.layers} × ${experts.experts} experts, ${experts.top_k} a token`,
  ].filter(Boolean).join(' · ');
  field('modes').hidden = !model.chat;
  if (model.max_model_len) limit(model.max_model_len);
  map.shape = experts ?? null;
}

function body() {
  const common = { model: model.id, ...request(), stream: true, stream_options: { include_usage: true }, experts: true };
  if (!chatting()) return ['v1/completions', { ...common, prompt: prompt.value, logprobs: 5 }];
  const system = field('system').value.trim();
  const messages = [...(system ? [{ role: 'system', content: system }] : []), ...conversation];
  return ['v1/chat/completions', { ...common, messages, logprobs: true, top_logprobs: 5 }];
}

async function write() {
  if (running || (chatting() && !prompt.value.trim())) return;
  field('error').hidden = true;
  if (!model) await connect();
  if (!model) return;
  let path, fields;
  try {
    if (chatting()) conversation.push({ role: 'user', content: prompt.value });
    [path, fields] = body();
  } catch (error) {
    if (chatting()) conversation.pop();
    field('sampling').open = true;
    return fail(error);
  }
  begin();
  const figures = new Figures();
  try {
    for await (const event of stream(path, key(), fields, running.signal)) {
      running.signal.throwIfAborted(); // what has come already is not shown any more
      answer.add(event);
      event.tokens.forEach(token => map.add(token));
      figures.take(event);
      follow();
    }
    figures.say();
  } catch (error) {
    if (error.name === 'AbortError') figures.say('Stopped');
    else {
      figures.say('Broken off');
      fail(error);
    }
  } finally {
    end();
  }
}

// A chat's turn is written down as it was sent; a completion stands alone.
function begin() {
  running = new AbortController();
  map.clear();
  let host = output;
  if (chatting()) {
    turns.append(element('p', { className: 'turn user' }, prompt.value));
    host = turns.appendChild(element('div', { className: 'turn text', role: 'group', ariaLabel: output.ariaLabel }));
    prompt.value = '';
    grow();
  } else {
    // A fresh element leaves the last answer's listeners behind.
    host = output.appendChild(element('div', { className: 'continuation' }));
    output.replaceChildren(host);
  }
  answer = new TokenText(host, token => map.mark(token));
  sheet.ariaBusy = 'true';
  show();
  follow(true);
}

function end() {
  if (chatting() && answer.text) conversation.push({ role: 'assistant', content: answer.text });
  else if (chatting()) takeBack();
  running = null;
  sheet.ariaBusy = 'false';
  show();
}

// A message without an answer goes back to where it was typed.
function takeBack() {
  prompt.value = conversation.pop().content;
  turns.lastChild.remove();
  turns.lastChild.remove();
  answer = null;
  grow();
}

function show() {
  const hadFocus = [field('write'), field('stop')].includes(document.activeElement);
  field('write').hidden = !!running;
  field('stop').hidden = !running;
  if (hadFocus) field(running ? 'stop' : 'write').focus();
  field('modes').disabled = !!running;
  field('copy').hidden = field('clear').hidden = !!running || !answer;
}

function clear() {
  conversation = [];
  answer = null;
  turns.replaceChildren();
  output.replaceChildren();
  map.clear();
  field('status').textContent = '';
  show();
  prompt.focus();
}

// What is measured: here while the text comes, by the server once it is there.
class Figures {
  #start = performance.now();
  #first = null;
  #written = 0;
  #finish = '';

  constructor() {
    for (const id of ['rate', 'first', 'written', 'cached']) field(id).textContent = '–';
    field('status').textContent = 'Reading the prompt…';
  }

  take({ tokens, text, finish, usage, timings }) {
    const now = performance.now();
    this.#written += tokens.length || (text ? 1 : 0);
    if (this.#written && this.#first === null) {
      this.#first = now;
      field('first').textContent = `${Math.round(now - this.#start)} ms`;
      field('status').textContent = 'Writing…';
    }
    this.#finish = finish ?? this.#finish;
    field('written').textContent = usage?.completion_tokens ?? this.#written;
    if (this.#written > 1) field('rate').textContent = rounded((this.#written - 1) * 1000 / (now - this.#first));
    if (timings?.predicted_per_second) field('rate').textContent = rounded(timings.predicted_per_second);
    const cached = usage?.prompt_tokens_details?.cached_tokens ?? timings?.cached_tokens;
    if (usage) field('cached').textContent = `${cached ?? 0} of ${usage.prompt_tokens}`;
  }

  say(how) {
    const why = { stop: ', the end of the text', length: ', the most allowed' }[this.#finish] ?? '';
    const tokens = this.#written === 1 ? '1 token' : `${this.#written} tokens`;
    field('status').textContent = how ? `${how} after ${tokens}` : `${tokens}${why}`;
  }
}

const rounded = rate => (rate >= 100 ? Math.round(rate) : rate.toFixed(1));

// The end of the text stays in view while the reader is there. Wide windows scroll the sheet, narrow ones the page.
function follow(jump = false) {
  const hidden = answer.host.getBoundingClientRect().bottom + 16 - field('foot').getBoundingClientRect().top;
  if (hidden > 0 && (jump || hidden < 160)) for (const scroller of [sheet, document.documentElement]) scroller.scrollTop += hidden;
}

function grow() {
  prompt.style.height = 'auto';
  prompt.style.height = `${prompt.scrollHeight}px`;
}

function mode() {
  const chat = chatting();
  document.body.classList.toggle('chat', chat);
  for (const part of document.querySelectorAll('[data-mode=chat]')) part.hidden = !chat;
  output.hidden = chat;
  (chat ? field('foot') : sheet).prepend(composer);
  field('promptLabel').textContent = chat ? 'Your message' : 'The text begins';
  field('write').textContent = chat ? 'Send' : 'Write';
  prompt.placeholder = chat ? 'Say something' : 'Once upon a time';
  prompt.value = chat ? '' : prompt.defaultValue;
  clear();
  grow();
}

build();
field('key').value = sessionStorage.getItem('key') ?? '';
field('key').addEventListener('change', () => {
  sessionStorage.setItem('key', key());
  connect();
});
sheet.addEventListener('submit', event => {
  event.preventDefault();
  write();
});
prompt.addEventListener('input', grow);
prompt.addEventListener('keydown', event => {
  // Enter sends a message; in a text it begins a line, and with Ctrl or Cmd it writes.
  const send = chatting() ? !event.shiftKey : event.ctrlKey || event.metaKey;
  if (event.key === 'Enter' && send && !event.isComposing) {
    event.preventDefault();
    write();
  }
});
field('stop').addEventListener('click', () => running?.abort());
field('clear').addEventListener('click', clear);
field('copy').addEventListener('click', async () => {
  await navigator.clipboard.writeText(chatting() ? answer.text : prompt.value + answer.text).then(
    () => { field('status').textContent = 'Copied'; },
    () => fail(new Error('The browser does not let the page copy.')));
});
field('reset').addEventListener('click', reset);
field('colour').addEventListener('change', event => {
  document.body.classList.toggle('coloured', event.target.checked);
  field('scale').hidden = !event.target.checked;
});
field('modes').addEventListener('change', mode);
field('sampling').open = matchMedia('(min-width: 60rem)').matches;
grow();
connect();
