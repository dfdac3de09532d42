// Prints the ids that the Hugging Face tokenizer gives each text: JSON strings in, one a line; JSON arrays out.
// usage: node tokenize.mjs PACKAGE < texts.jsonl
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';

const read = name => JSON.parse(readFileSync(join(process.argv[2], name), 'utf8'));
const tokenizer = new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'));
for (const line of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  console.log(JSON.stringify(tokenizer.encode(JSON.parse(line), { add_special_tokens: false }).ids));
}
