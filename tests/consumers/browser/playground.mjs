// Uses the server's page as a reader does, in headless Chromium, and prints what came of it as JSON.
// usage: node playground.mjs URL [--key KEY] [--long TOKENS] [--shots FOLDER]
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { launch } from './chromium.mjs';

const { values: options, positionals: [url] } = parseArgs({ allowPositionals: true, options: { key: { type: 'string' }, long: { type: 'string', default: '400' }, shots: { type: 'string' } } });
const wide = { viewport: { width: 1280, height: 860 } };
const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
const found = { problems: [], foreign: [] };
const browser = await launch();

async function open(context) {
  const page = await (await browser.newContext(context)).newPage();
  page.setDefaultTimeout(60_000);
  page.on('console', message => ['error', 'warning'].includes(message.type()) && found.problems.push(message.text()));
  page.on('pageerror', error => found.problems.push(error.stack));
  page.on('request', request => new URL(request.url()).origin !== new URL(url).origin && found.foreign.push(request.url()));
  await page.goto(url);
  return page;
}

// Chromium itself reports answers with an error on its console.
const expected = status => { found.problems = found.problems.filter(problem => !problem.includes(`status of ${status}`)); };
const idle = page => page.waitForFunction(() => !document.getElementById('write').hidden);
const shot = (page, name) => options.shots && page.screenshot({ path: join(options.shots, `${name}.png`) });
const text = (page, selector) => page.locator(selector).innerText();

async function write(page, prompt, tokens) {
  await page.fill('#prompt', prompt);
  await page.evaluate(() => { document.getElementById('sampling').open = true; });
  await page.fill('#max_tokens', `${tokens}`);
  await page.fill('#temperature', '0');
  await page.click('#write');
  await idle(page);
}

async function popover(page) {
  await page.waitForSelector('#popover:visible');
  const [box, window] = [await page.locator('#popover').boundingBox(), page.viewportSize()];
  return {
    token: await text(page, '#popover b'),
    alternatives: await page.locator('#popover li').evaluateAll(rows => rows.map(row => [row.firstChild.textContent, parseFloat(row.lastChild.textContent.replace('<', ''))])),
    chosen: await page.locator('#popover li.chosen').count(),
    inside: box.x >= 0 && box.y >= 0 && box.x + box.width <= window.width && box.y + box.height <= window.height,
  };
}

const checks = {
  async access(page) {
    if (!options.key) return null;
    await page.waitForSelector('#error:visible');
    const refused = await text(page, '#error');
    await page.fill('#key', options.key);
    await page.press('#key', 'Tab');
    await page.waitForFunction(() => document.getElementById('about').textContent);
    expected('401');
    await page.reload();
    await page.waitForFunction(() => document.getElementById('about').textContent);
    return { refused, kept: await page.inputValue('#key') };
  },

  async writing(page) {
    await page.waitForFunction(() => document.getElementById('about').textContent);
    await write(page, 'Once upon a time', 24);
    const figures = {};
    for (const id of ['rate', 'first', 'written', 'cached']) figures[id] = await text(page, `#${id}`);
    return {
      model: await text(page, '#model'),
      text: await page.locator('#output').evaluate(output => {
        const copy = output.cloneNode(true);
        copy.querySelectorAll('.mark').forEach(mark => mark.remove());
        return copy.textContent;
      }),
      tokens: await page.locator('#output .token').count(),
      status: await text(page, '#status'),
      error: await page.locator('#error').isVisible(),
      figures,
    };
  },

  async alternatives(page) {
    await page.locator('#output .token').filter({ hasText: /\S/ }).nth(2).hover();
    const hovered = await popover(page);
    await shot(page, 'wide');
    const marked = await text(page, '#mapNote').catch(() => null);
    await page.mouse.move(5, 5);
    const gone = await page.locator('#popover').isHidden();
    // By keyboard: one stop for the whole text, arrows within it.
    await page.locator('#output .token').first().focus();
    await page.keyboard.press('ArrowRight');
    const focused = { ...await popover(page), index: await page.evaluate(() => [...document.querySelectorAll('#output .token')].indexOf(document.activeElement)), spoken: await page.locator('#spoken').textContent() };
    await page.keyboard.press('Escape');
    return { hovered, marked, gone, focused, closed: await page.locator('#popover').isHidden(), stops: await page.locator('#output [tabindex="0"]').count() };
  },

  async experts(page) {
    if (await page.locator('#experts').isHidden()) return null;
    const map = page.locator('#map');
    const counted = Number(await map.getAttribute('data-tokens'));
    const box = await map.boundingBox();
    await page.mouse.move(box.x + 0.5, box.y + 0.5);
    await page.waitForFunction(() => document.getElementById('mapNote').textContent.includes('expert 0'));
    const lit = await page.locator('#output .token.lit').count();
    const note = await text(page, '#mapNote');
    const colours = await map.evaluate(canvas => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    });
    await page.mouse.move(5, 5);
    return { counted, lit, note, colours };
  },

  // The third token presses the button, however fast the model is.
  async stopping(page) {
    await page.evaluate(() => {
      const output = document.getElementById('output');
      new MutationObserver((_, observer) => {
        if (output.querySelectorAll('.token').length < 3) return;
        observer.disconnect();
        document.getElementById('stop').click();
      }).observe(output, { childList: true, subtree: true });
      output.replaceChildren();
    });
    await write(page, 'Once upon a time', options.long);
    return { tokens: await page.locator('#output .token').count(), status: await text(page, '#status') };
  },

  async mistakes(page) {
    await page.fill('#schema', '{ "type": ');
    await page.click('#write');
    const schema = await text(page, '#error');
    await page.fill('#schema', '');
    await page.fill('#top_p', '7');
    await page.click('#write');
    const range = await text(page, '#error');
    await page.click('#reset');
    await page.route('**/v1/completions', route => route.fulfill({ status: 429, contentType: 'application/json', body: JSON.stringify({ error: { message: 'the queue is full' } }) }));
    await page.click('#write');
    await idle(page);
    const refused = await text(page, '#error');
    await page.unroute('**/v1/completions');
    expected('429');
    return { schema, range, refused, reset: await page.inputValue('#top_p') };
  },

  // A server that sends plain text only, and one whose stream ends before its time.
  async bare(page) {
    const answer = async (...events) => {
      const body = events.map(event => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`).join('');
      await page.route('**/v1/completions', route => route.fulfill({ contentType: 'text/event-stream', body }));
      await page.click('#write');
      await idle(page);
      await page.unroute('**/v1/completions');
      return [await page.locator('#output').textContent(), await text(page, '#status'), await page.locator('#error').isVisible() ? await text(page, '#error') : ''];
    };
    const [hello, world] = ['Hello', ' <b>world</b>'].map(text => ({ choices: [{ index: 0, text, logprobs: null, finish_reason: null }] }));
    return {
      plain: await answer(hello, world, '[DONE]'),
      broken: await answer(hello),
      failed: await answer(hello, { error: { message: 'the device is gone' } }),
    };
  },

  async chat(page) {
    if (await page.locator('#modes').isHidden()) return null;
    await page.locator('#modes label').nth(1).click();
    await write(page, 'Tell me a story.', 12);
    await page.fill('#prompt', 'And then?');
    await page.press('#prompt', 'Enter');
    await page.waitForFunction(() => document.querySelectorAll('.turn').length === 4);
    await idle(page);
    await shot(page, 'chat');
    return { turns: await page.locator('.turn').count(), tokens: await page.locator('.turn:last-child .token').count(), error: await page.locator('#error').isVisible() };
  },

  async narrow() {
    const page = await open({ ...phone, colorScheme: 'dark' });
    await checks.access(page);
    await page.waitForFunction(() => document.getElementById('about').textContent);
    await write(page, 'Once upon a time', 24);
    await page.locator('#output .token').filter({ hasText: /\S/ }).nth(2).tap();
    const tapped = await popover(page);
    await shot(page, 'narrow');
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    await page.locator('h1').tap();
    return { width, tapped, closed: await page.locator('#popover').isHidden(), dark: await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor) };
  },
};

try {
  const page = await open(wide);
  for (const [name, check] of Object.entries(checks)) found[name] = await check(page);
  console.log(JSON.stringify(found));
} finally {
  await browser.close();
}
