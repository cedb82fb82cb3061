/**
 * GraphiQL's example operations against the client schema: they must be valid, and their variables must be of the declared names and
 * types. Ids that a user fills in are empty strings there, which is a valid `ID`.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { buildSchema, validate } from 'graphql';
import { getVariableValues } from 'graphql/execution/values.js';

import { exampleFiles } from './operations.mjs';

const schema = buildSchema(readFileSync(new URL('../schema/api.graphql', import.meta.url), 'utf8'));

for (const { file, document, variables } of exampleFiles) {
  test(`${file} is valid, and so are its variables`, () => {
    assert.deepEqual(validate(schema, document), []);

    const definitions = document.definitions.flatMap((definition) => definition.variableDefinitions ?? []);
    for (const { variableDefinitions } of document.definitions) {
      assert.deepEqual(getVariableValues(schema, variableDefinitions ?? [], variables).errors ?? [], []);
    }
    assert.deepEqual(
      Object.keys(variables).sort(),
      [...new Set(definitions.map((definition) => definition.variable.name.value))].sort(),
    );
  });
}
