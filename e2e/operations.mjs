/**
 * GraphiQL's example operations, as the tests run them: what a newcomer is shown is what is tested.
 */
import { readFileSync, readdirSync } from 'node:fs';

import { parse, separateOperations, Source } from 'graphql';

const FOLDER = new URL('../gateway/graphiql/operations/', import.meta.url);

/** Each example file: its name, its parsed document, and its variables with their placeholders filled in. */
export const exampleFiles = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.graphql'))
  .sort()
  .map((file) => ({
    file,
    document: parse(new Source(readFileSync(new URL(file, FOLDER), 'utf8'), file)),
    variables: readVariables(file.replace(/\.graphql$/, '.variables.jsonc')),
  }));

function readVariables(file) {
  if (!readdirSync(FOLDER).includes(file)) return {};
  const text = readFileSync(new URL(file, FOLDER), 'utf8')
    .replace(/^\s*\/\/.*$/gm, '')
    .replaceAll('{{uuid}}', () => crypto.randomUUID())
    .replaceAll('{{now}}', () => new Date().toISOString());
  return JSON.parse(text);
}

/** The example operations by name, each a document of its own. */
export const examples = Object.assign({}, ...exampleFiles.map(({ document }) => separateOperations(document)));
