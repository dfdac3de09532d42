// Starts the machine's Chromium without a window: the program that CHROMIUM names, or else the first `chromium` on the PATH.
import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';

const { chromium } = createRequire(new URL('../node/', import.meta.url))('playwright-core');

function find() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const folder of process.env.PATH.split(delimiter).filter(Boolean)) {
    try {
      accessSync(join(folder, 'chromium'), constants.X_OK);
      return join(folder, 'chromium');
    } catch { /* not in this folder */ }
  }
  throw new Error('no chromium on the PATH: install the Debian package chromium, or name the program in the variable CHROMIUM');
}

// Chromium's sandbox refuses to work for root.
export const launch = () => chromium.launch({ executablePath: find(), chromiumSandbox: process.getuid() !== 0 });
