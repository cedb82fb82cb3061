/**
 * Breaks a set of subgraphs a little: one line of one subgraph is changed as a person might change it without looking at the
 * others. Most results do not compose, and the interesting ones still do.
 *
 * A mutation is a function of the random numbers and the text; where none applies, the set stays as it is.
 */
const FIELD = /^ {2}\w+(\(.*\))?: /;

/** Line in, line out (`null` to drop it, the same text when it does not apply). */
const MUTATIONS = [
  ['drop a field', (line) => (FIELD.test(line) ? null : line)],
  ['not shareable', (line) => line.replace(/ @shareable/, '')],
  ['shareable', (line) => (FIELD.test(line) && !line.includes('@') ? `${line} @shareable` : line)],
  ['external', (line) => (FIELD.test(line) && !line.includes('@') ? `${line} @external` : line)],
  ['not external', (line) => line.replace(/ @external/, '')],
  ['no key', (line) => line.replace(/ @key\([^)]*\)/, '')],
  ['another key', (line) => line.replace(/@key\(fields: "id"/, '@key(fields: "code"')],
  ['key cannot be resolved', (line) => line.replace(/(@key\(fields: "[^"]*")\)/, '$1, resolvable: false)')],
  ['nullable', (line) => (FIELD.test(line) ? line.replace(/: (\S+)!/, ': $1') : line)],
  ['not nullable', (line) => (FIELD.test(line) ? line.replace(/: (\w+)(?=$| )/, ': $1!') : line)],
  ['a list', (line) => (FIELD.test(line) ? line.replace(/: (\w+)(?=$| )/, ': [$1]') : line)],
  ['another scalar', (line) => line.replace(/: (Int|String|Boolean)\b/, ': Float')],
  ['an argument', (line) => line.replace(/^( {2}\w+): /, '$1(z: Int): ')],
  ['a required argument', (line) => line.replace(/^( {2}\w+): /, '$1(z: Int!): ')],
  ['another default', (line) => line.replace(/= \d/, '= 9')],
  ['no default', (line) => line.replace(/ = \d/, '')],
  ['no override', (line) => line.replace(/ @override\([^)]*\)/, '')],
  ['override from another', (line) => line.replace(/@override\(from: "(\w)"/, '@override(from: "z"')],
  ['override from itself', (line, name) => line.replace(/@override\(from: "(\w)"/, `@override(from: "${name}"`)],
  ['no requires', (line) => line.replace(/ @requires\([^)]*\)/, '')],
  ['requires what is not there', (line) => line.replace(/@requires\(fields: "[^"]*"/, '@requires(fields: "nothing"')],
  ['provides what is not there', (line) => line.replace(/@provides\(fields: "[^"]*"/, '@provides(fields: "nothing"')],
  ['no provides', (line) => line.replace(/ @provides\([^)]*\)/, '')],
  ['drop an enum value', (line) => (/^ {2}[A-Z]+$/.test(line) ? null : line)],
  ['another kind', (line) => line.replace(/^enum Colour/, 'input Colour')],
  ['not an interface object', (line) => line.replace(/ @interfaceObject/, '')],
  ['implements nothing', (line) => line.replace(/ implements \w+( & \w+)*/, '')],
  ['fewer members', (line) => line.replace(/ \| \w+$/, '')],
  ['inaccessible', (line) => (FIELD.test(line) ? `${line} @inaccessible` : line)],
  ['an inaccessible type', (line) => line.replace(/^(type|interface|enum|input) (\w+)(.*) \{/, '$1 $2$3 @inaccessible {')],
  ['only an extension', (line) => line.replace(/^type E/, 'extend type E')],
  ['defined', (line) => line.replace(/^extend type/, 'type')],
  ['extends', (line) => line.replace(/^type E(.*) \{/, 'type E$1 @extends {')],
  ['federation 1', (line) => line.replace(/^extend schema @link.*/, '')],
  ['an older version', (line) => line.replace(/federation\/v2\.\d/, 'federation/v2.0')],
  ['renamed', (line) => line.replace(/^( {2})f(\d)/, '$1g$2')],
  ['described', (line) => (FIELD.test(line) ? `  "${line.trim().slice(0, 2)}" ${line.trim()}` : line)],
  ['shared subscription', (line) => line.replace(/^type Mutation/, 'type Subscription')],
];

/** `subgraphs` with one change, and what was changed. */
export function mutate(random, subgraphs) {
  for (let tries = 0; tries < 40; tries += 1) {
    const index = random.below(subgraphs.length);
    const lines = subgraphs[index].sdl.split('\n');
    const [what, change] = random.pick(MUTATIONS);
    const changed = lines
      .map((line, number) => [number, change(line, subgraphs[index].name)])
      .filter(([number, line]) => line !== lines[number]);
    if (changed.length === 0) continue;
    const [number, line] = random.pick(changed);
    const sdl = [...lines.slice(0, number), ...(line === null ? [] : [line]), ...lines.slice(number + 1)].join('\n');
    const set = subgraphs.map((subgraph, at) => (at === index ? { ...subgraph, sdl } : subgraph));
    return { what: `${what} (${subgraphs[index].name}: ${lines[number].trim()})`, set };
  }
  return { what: 'nothing', set: subgraphs };
}
