/**
 * The example operations, in the order of their file names: `NAME.graphql`, and beside it `NAME.variables.jsonc` where it has variables.
 *
 * In the variables, `{{uuid}}` and `{{now}}` stand for a new UUID and the present instant.
 */
const operations = import.meta.glob('../operations/*.graphql', { query: '?raw', import: 'default', eager: true });
const variables = import.meta.glob('../operations/*.variables.jsonc', { query: '?raw', import: 'default', eager: true });

/** A random UUID; `crypto.randomUUID` is missing where the page came over plain HTTP from another machine. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function fill(template) {
  return template.replaceAll('{{uuid}}', uuid).replaceAll('{{now}}', () => new Date().toISOString());
}

export const examples = Object.keys(operations)
  .sort()
  .map((path) => {
    const template = variables[path.replace(/\.graphql$/, '.variables.jsonc')];
    return { query: operations[path], variables: template && fill(template) };
  });
