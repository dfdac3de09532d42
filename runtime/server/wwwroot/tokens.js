// The generated text as tokens: each a span that knows its alternatives, reached by mouse, finger or arrow keys.

import { element, field, say } from './dom.js';

const popover = field('popover');
let dismiss = () => {};
const signs = { '\n': '⏎', '\t': '⇥', ' ': '␣' };
const visible = text => text.replace(/[\p{Cc}\p{Cf} ]/gu, c => signs[c] ?? `\\u{${c.codePointAt().toString(16)}}`) || '∅';
const percent = p => (p < 0.00005 ? '<0.01 %' : `${(p * 100).toFixed(p >= 0.0995 ? 0 : p >= 0.00095 ? 1 : 2)} %`);

// One answer. Text comes when it is certain, which may be some tokens later: `waiting` are those whose text is still to come.
export class TokenText {
  #waiting = [];
  #details = new WeakMap();
  #onLook;

  // onLook is called with the token that the reader looks at, or with null.
  constructor(host, onLook) {
    this.host = host;
    this.#onLook = onLook;
    this.tokens = [];
    this.text = '';
    host.addEventListener('pointerover', event => event.pointerType === 'mouse' && this.#look(this.#span(event)));
    host.addEventListener('pointerleave', event => event.pointerType === 'mouse' && this.#look(null));
    host.addEventListener('click', event => this.#look(this.#span(event)));
    host.addEventListener('focusin', event => event.target.matches(':focus-visible') && this.#look(this.#span(event), true));
    host.addEventListener('focusout', () => this.#look(null));
    host.addEventListener('keydown', event => this.#move(event));
  }

  add({ text, tokens, finish }) {
    for (const token of tokens) this.#append(token);
    this.text += text;
    this.#give(text);
    if (finish) this.#end();
  }

  highlight(wanted) {
    for (const span of this.host.children) span.classList.toggle('lit', !!wanted && !!this.#details.get(span) && wanted(this.#details.get(span)));
  }

  #append(token) {
    const span = element('span', { className: 'token', tabIndex: this.host.childElementCount ? -1 : 0 });
    span.style.setProperty('--p', (token.probability ?? 1).toFixed(3));
    this.#details.set(span, token);
    this.tokens.push(token);
    this.#waiting.push(span);
    this.host.append(span);
  }

  // Each waiting token takes its own text; the last one takes what is left, such as a character that several tokens make.
  #give(text) {
    while (text && this.#waiting.length) {
      const span = this.#waiting.shift();
      const own = this.#details.get(span).text;
      const taken = this.#waiting.length && own && text.startsWith(own) ? own : this.#waiting.length ? '' : text;
      span.textContent += taken;
      text = text.slice(taken.length);
    }
    if (text) this.host.append(text);
  }

  // Tokens without text, as one that ends the text, are shown by name.
  #end() {
    for (const span of this.#waiting.splice(0)) {
      span.textContent = this.#details.get(span).text || '∅';
      span.classList.add('mark');
    }
  }

  #span(event) {
    return event.target.closest('.token');
  }

  #move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const span = this.#span(event);
    if (event.key === 'Escape') this.#look(null);
    if (!step || !span) return;
    event.preventDefault();
    const all = [...this.host.querySelectorAll('.token')];
    const next = all[all.indexOf(span) + step];
    if (!next) return;
    span.tabIndex = -1;
    next.tabIndex = 0;
    next.focus({ focusVisible: true });
  }

  #look(span, aloud = false) {
    const token = span && this.#details.get(span);
    dismiss();
    if (!token) return;
    span.classList.add('looked');
    this.#onLook(token);
    dismiss = () => {
      dismiss = () => {};
      span.classList.remove('looked');
      popover.hidden = true;
      this.#onLook(null);
    };
    const own = visible(token.text || span.textContent);
    const rank = token.top.findIndex(other => other.text === token.text);
    const rows = token.top.map((other, i) => row(other, i === rank));
    if (rank < 0 && token.probability !== undefined) rows.push(row(token, true));
    popover.replaceChildren(
      element('p', {}, element('b', {}, own), element('small', {}, token.id === undefined ? '' : `id ${token.id}`)),
      element('ol', {}, ...rows));
    popover.hidden = false;
    place(span);
    if (aloud) say(`${own}: ${token.top.map(other => `${visible(other.text)} ${percent(other.probability)}`).join(', ')}`);
  }
}

function row(other, chosen) {
  const bar = element('i', {});
  bar.style.setProperty('--p', other.probability.toFixed(3));
  return element('li', { className: chosen ? 'chosen' : '' }, element('span', {}, visible(other.text)), bar, element('span', { className: 'number' }, percent(other.probability)));
}

// Under the token's first line, or over it where there is no room; always within the window.
function place(span) {
  const [token, box, gap] = [span.getClientRects()[0] ?? span.getBoundingClientRect(), popover.getBoundingClientRect(), 6];
  const below = token.bottom + gap + box.height <= innerHeight;
  popover.style.left = `${Math.max(gap, Math.min(token.left, document.documentElement.clientWidth - box.width - gap))}px`;
  popover.style.top = `${below ? token.bottom + gap : Math.max(gap, token.top - gap - box.height)}px`;
}

for (const kind of ['scroll', 'resize']) addEventListener(kind, () => dismiss(), { capture: true, passive: true });
addEventListener('pointerdown', event => event.target.closest('.token') ?? dismiss());
