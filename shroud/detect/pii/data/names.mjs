// Makes given.txt and surnames.txt of the locales of @faker-js/faker, whose folder is the
// argument: names in Latin, Cyrillic and Greek letters, by their words, in small letters.
// Esperanto's are left out, which are everybody's names with other endings.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { allLocales } = await import(pathToFileURL(join(process.argv[2], 'dist/index.js')));

const lists = {
  'given.txt': { key: 'first_name', between: /[\s-]+/, more: ['haruto', 'hiroshi', 'izumi', 'keiko', 'mieszko', 'ming', 'ngozi', 'thandi', 'wei', 'yuki'] },
  'surnames.txt': { key: 'last_name', between: /[\s'-]+/, more: [] },
};
const word = /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{M}]{3,}$/u;

function* names(of) {
  if (typeof of === 'string') yield of;
  else if (Array.isArray(of)) for (const one of of) yield* names(one);
  else if (of && 'weight' in of) yield of.value;
  else if (of) for (const one of Object.values(of)) yield* names(one);
}

for (const [file, { key, between, more }] of Object.entries(lists)) {
  const all = new Set(more);
  for (const [code, locale] of Object.entries(allLocales)) {
    if (code === 'eo' || !locale.person) continue;
    for (const name of names(locale.person[key])) {
      for (const part of name.normalize('NFC').split(between)) {
        if (word.test(part.toLowerCase())) all.add(part.toLowerCase());
      }
    }
  }
  writeFileSync(new URL(file, import.meta.url), [...all].sort().join('\n') + '\n');
}
