// Prints the ids that Hugging Face's own library gives each text, special tokens recognised, none added: JSON strings in, one a line; JSON arrays out.
// usage: node tokenize-native.mjs TOKENIZER.json < texts.jsonl
import { readFileSync } from 'node:fs';
import tokenizers from 'tokenizers';

const tokenizer = tokenizers.Tokenizer.fromFile(process.argv[2]);
for (const line of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  const encoding = await tokenizer.encode(JSON.parse(line), null, { addSpecialTokens: false });
  console.log(JSON.stringify([...encoding.getIds()]));
}
