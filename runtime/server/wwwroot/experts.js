// The map of experts: a cell for each expert of each layer, the darker the more of the written tokens it took part in.

import { field, say } from './dom.js';

const canvas = field('map');
const note = field('mapNote');

export class ExpertMap {
  #shape = null;
  #counts = [];
  #tokens = 0; // those that came with their experts
  #silent = false; // whether some came without
  #marked = null;
  #cell = null;
  #onCell;
  #drawing = false;

  // onCell is called with a test for tokens, those that the pointed-at expert took part in, or with null.
  constructor(onCell) {
    this.#onCell = onCell;
    canvas.addEventListener('pointermove', event => this.#point(this.#at(event)));
    canvas.addEventListener('pointerdown', event => this.#point(this.#at(event)));
    canvas.addEventListener('pointerleave', () => this.#point(null));
    canvas.addEventListener('focus', () => canvas.matches(':focus-visible') && this.#point(this.#cell ?? [0, 0]));
    canvas.addEventListener('blur', () => this.#point(null));
    canvas.addEventListener('keydown', event => this.#move(event));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(canvas);
  }

  // { layers, experts, top_k }, or null for a model without experts.
  set shape(shape) {
    this.#shape = shape;
    field('experts').hidden = !shape;
    this.clear();
  }

  clear() {
    const { layers = 0, experts = 0 } = this.#shape ?? {};
    this.#counts = Array.from({ length: layers }, () => new Uint32Array(experts));
    this.#tokens = 0;
    this.#silent = false;
    this.#marked = this.#cell = null;
    this.#draw();
  }

  add(token) {
    if (!this.#shape) return;
    this.#draw();
    if (!token.experts) {
      this.#silent = true;
      return;
    }
    this.#tokens++;
    token.experts.forEach((chosen, layer) => chosen.forEach(expert => { this.#counts[layer][expert]++; }));
  }

  // Outlines a token's experts.
  mark(token) {
    this.#marked = token?.experts ?? null;
    this.#draw();
  }

  #at(event) {
    const { layers, experts } = this.#shape;
    const box = canvas.getBoundingClientRect();
    const [layer, expert] = [Math.floor((event.clientY - box.top) / box.height * layers), Math.floor((event.clientX - box.left) / box.width * experts)];
    return layer >= 0 && layer < layers && expert >= 0 && expert < experts ? [layer, expert] : null;
  }

  #move(event) {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    const { layers, experts } = this.#shape;
    const [layer, expert] = this.#cell ?? [0, 0];
    this.#point([Math.min(layers - 1, Math.max(0, layer + step[0])), Math.min(experts - 1, Math.max(0, expert + step[1]))]);
    say(this.#words());
  }

  #point(cell) {
    if (String(cell) === String(this.#cell)) return;
    this.#cell = cell;
    this.#onCell(cell && (token => token.experts?.[cell[0]]?.includes(cell[1])));
    this.#draw();
  }

  #draw() {
    if (this.#drawing || !this.#shape) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#paint();
      note.textContent = this.#words();
      canvas.dataset.tokens = this.#tokens;
    });
  }

  #paint() {
    const { layers, experts } = this.#shape;
    const style = getComputedStyle(canvas);
    const colour = name => style.getPropertyValue(name);
    const size = Math.max(6, Math.min(22, canvas.clientWidth / experts));
    canvas.style.height = `${Math.round(size * layers)}px`;
    canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
    canvas.height = Math.round(size * layers * devicePixelRatio);
    const [width, height] = [canvas.width / experts, canvas.height / layers];
    const gap = Math.min(2 * devicePixelRatio, width / 5);
    const most = Math.max(1, ...this.#counts.map(layer => layer.reduce((a, b) => Math.max(a, b), 0)));
    const paint = canvas.getContext('2d');
    const cell = (layer, expert) => [expert * width + gap / 2, layer * height + gap / 2, width - gap, height - gap];
    this.#counts.forEach((counts, layer) => counts.forEach((count, expert) => {
      paint.globalAlpha = 1;
      paint.fillStyle = colour('--cell');
      paint.fillRect(...cell(layer, expert));
      paint.globalAlpha = count / most;
      paint.fillStyle = colour('--accent');
      paint.fillRect(...cell(layer, expert));
    }));
    paint.globalAlpha = 1;
    paint.lineWidth = Math.min(2 * devicePixelRatio, width / 4);
    const outline = (layer, expert, name) => { paint.strokeStyle = colour(name); paint.strokeRect(...cell(layer, expert)); };
    this.#marked?.forEach((chosen, layer) => chosen.forEach(expert => outline(layer, expert, '--ink')));
    if (this.#cell) outline(...this.#cell, '--surprise');
  }

  #words() {
    const { layers, experts, top_k: k } = this.#shape;
    if (this.#cell) {
      const [layer, expert] = this.#cell;
      const count = this.#counts[layer][expert];
      return `MoE layer ${layer}, expert ${expert}: ${count} of ${this.#tokens} tokens${this.#tokens ? `, ${Math.round(count * 100 / this.#tokens)} %` : ''}`;
    }
    if (this.#marked && layers * k > 16) return 'The experts of this token are outlined.';
    if (this.#marked) return `The experts of this token: ${this.#marked.map(chosen => chosen.join(', ')).join(' · ')}`;
    if (this.#silent) return 'The server does not say which experts took part.';
    return `${layers} MoE layers, down; ${experts} experts each, across. A token takes ${k} a layer.`;
  }
}
