// A static file server on loopback for folders of this machine, with the headers that let pages use threads.
import { createServer } from 'node:http';
import { createReadStream, realpathSync, statSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import { pipeline } from 'node:stream';

const types = { '.html': 'text/html', '.css': 'text/css', '.mjs': 'text/javascript', '.json': 'application/json', '.wasm': 'application/wasm' };

// folders: { '/prefix/': folder }; the longest prefix that fits serves the file, and nothing outside its folder.
export async function serve(folders) {
  const prefixes = Object.keys(folders).sort((a, b) => b.length - a.length);
  const find = url => {
    const path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
    const prefix = prefixes.find(prefix => path.startsWith(prefix));
    const root = realpathSync(folders[prefix]);
    const file = realpathSync(join(root, path.slice(prefix.length) || 'index.html'));
    return file.startsWith(root + sep) && statSync(file).isFile() ? file : undefined;
  };
  const server = createServer((request, response) => {
    let file;
    try { file = find(request.url); } catch { /* no such file, or no such prefix */ }
    if (!file) return response.writeHead(404, { 'Content-Type': 'text/plain' }).end('no such file');
    response.writeHead(200, {
      'Content-Type': types[extname(file)] ?? 'application/octet-stream',
      'Content-Length': statSync(file).size,
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    });
    pipeline(createReadStream(file), response, () => {});
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}
