// Writes a story with the page of this folder in headless Chromium and prints what it measured.
// usage: node generate.mjs PACKAGE [--prompt "Once upon a time"] [--tokens 64] [--ignore-eos]
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launch } from './chromium.mjs';
import { serve } from './files.mjs';

const { values: options, positionals: [folder] } = parseArgs({
  allowPositionals: true,
  options: {
    prompt: { type: 'string', default: 'Once upon a time' },
    tokens: { type: 'string', default: '64' },
    'ignore-eos': { type: 'boolean', default: false },
  },
});
const here = path => fileURLToPath(new URL(path, import.meta.url));
const files = await serve({ '/': here('.'), '/node/': here('../node'), '/node_modules/': here('../node/node_modules'), '/package/': folder });
const browser = await launch();
try {
  const page = await browser.newPage();
  page.on('console', message => console.error(`${message.type()}: ${message.text()}`));
  page.on('pageerror', error => console.error(error.stack));
  await page.goto(files.url);
  await page.waitForFunction(() => window.result || !document.querySelector('button').disabled, null, { timeout: 60_000 });
  await page.fill('[name=prompt]', options.prompt);
  await page.fill('[name=tokens]', options.tokens);
  await page.setChecked('[name=ignoreEos]', options['ignore-eos']);
  if (!await page.evaluate(() => window.result)) await page.click('button');
  const result = await (await page.waitForFunction(() => window.result, null, { timeout: 120_000 })).jsonValue();
  if (result.error) throw new Error(result.error);
  console.log(JSON.stringify(result));
} finally {
  await browser.close();
  files.close();
}
