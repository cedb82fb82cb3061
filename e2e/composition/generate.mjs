/**
 * Makes sets of subgraphs that most often compose: entities with keys, value types, interfaces (also as entities, with interface
 * objects), unions, enums and inputs, divided over two to four subgraphs, with all directives that move fields between them.
 *
 * A set is a function of its seed. What breaks sets on purpose is in `mutate.mjs`.
 */
import { Random } from './random.mjs';

const SCALARS = ['Int', 'String', 'Boolean', 'ID', 'Float'];
const ARGUMENTS = ['(x: Int)', '(x: Int = 1)', '(x: Int! = 2, y: [String!])', '(x: Int, y: [String!] = ["a", "b"])', '(z: Boolean! = true)'];
const ANNOTATIONS = ['@inaccessible', '@tag(name: "t")', '@tag(name: "u")', '@deprecated(reason: "old")', '@deprecated'];
const IMPORTS = ['@key', '@shareable', '@external', '@requires', '@provides', '@override', '@inaccessible', '@tag', '@interfaceObject', '@extends'];

/** The subgraphs of `seed`: `[{ name, sdl }]`. */
export function generate(seed) {
  return new Generator(new Random(seed)).run();
}

class Generator {
  constructor(random) {
    this.random = random;
    const count = 2 + random.below(3);
    this.subgraphs = Array.from({ length: count }, (_, index) => ({
      name: 'abcd'[index],
      old: random.chance(12),
      minor: random.pick([3, 5, 5, 7]),
      types: new Map(),
    }));
  }

  run() {
    const { random } = this;
    this.entities = Array.from({ length: 1 + random.below(3) }, (_, index) => this.planEntity(index));
    if (random.chance(60)) this.addValueType();
    if (random.chance(45)) this.addEnum();
    if (random.chance(45)) this.addInput();
    if (random.chance(35)) this.addUnion();
    if (random.chance(20)) this.addScalar();
    this.entities.forEach((entity) => this.divideEntity(entity));
    if (random.chance(40)) this.addInterface();
    if (random.chance(30)) this.addInterfaceObject();
    this.entities.forEach((entity) => this.addMoves(entity));
    this.subgraphs.forEach((subgraph) => this.addQueries(subgraph));
    while (random.chance(35)) this.annotate();
    return this.subgraphs.map((subgraph) => ({ name: subgraph.name, sdl: print(subgraph) }));
  }

  /** A type of a subgraph, made when it is not there. */
  type(subgraph, keyword, name) {
    if (!subgraph.types.has(name)) subgraph.types.set(name, { keyword, name, directives: [], implements: [], fields: new Map() });
    return subgraph.types.get(name);
  }

  field(type, name, ty, ...directives) {
    if (!type.fields.has(name)) type.fields.set(name, { ty, args: '', directives });
    return type.fields.get(name);
  }

  planEntity(index) {
    const { random } = this;
    const keys = [['id']];
    if (random.chance(30)) keys.push(['code']);
    if (random.chance(15)) keys.push(['id', 'code']);
    if (random.chance(12)) keys.push(['ref { id }']);
    return { name: `E${index}`, keys, homes: random.some(this.subgraphs, 1, 70) };
  }

  /** A type for a new field of a subgraph, out of what the subgraph knows. */
  anyType(subgraph) {
    const { random } = this;
    const known = [...subgraph.types.values()].filter((type) => ['type', 'interface', 'union', 'enum', 'scalar'].includes(type.keyword));
    const name = known.length > 0 && random.chance(55) ? random.pick(known).name : random.pick(SCALARS);
    return random.pick([name, name, `${name}!`, `[${name}]`, `[${name}!]!`]);
  }

  divideEntity(entity) {
    const { random } = this;
    for (const subgraph of entity.homes) {
      const type = this.type(subgraph, 'type', entity.name);
      const own = random.some(entity.keys, 1, 70);
      for (const key of own) {
        const resolvable = random.chance(8) ? ', resolvable: false' : '';
        type.directives.push(`@key(fields: "${key.join(' ')}"${resolvable})`);
        for (const field of key) this.addKeyField(subgraph, type, field);
      }
      if (subgraph.old && random.chance(40) && subgraph !== entity.homes[0]) {
        type.keyword = 'extend type';
        for (const field of type.fields.values()) if (random.chance(60)) field.directives.push('@external');
      }
    }
    for (let index = 0; index < 1 + random.below(4); index += 1) {
      const shared = random.chance(20) ? random.some(entity.homes, 1, 50) : [random.pick(entity.homes)];
      const ty = shared.length > 1 ? random.pick(SCALARS) : this.anyType(shared[0]);
      const args = random.chance(15) ? random.pick(ARGUMENTS) : '';
      for (const subgraph of shared) {
        const type = this.type(subgraph, 'type', entity.name);
        const field = this.field(type, `f${index}`, ty);
        field.args = shared.length > 1 && random.chance(10) ? random.pick(ARGUMENTS) : args;
        if (shared.length > 1 && !subgraph.old) field.directives.push('@shareable');
        if (shared.length > 1 && random.chance(10)) field.ty = `${ty}!`;
      }
    }
  }

  addKeyField(subgraph, type, field) {
    if (field.startsWith('ref')) {
      this.field(this.type(subgraph, 'type', 'Ref'), 'id', 'ID!', ...(subgraph.old ? [] : ['@shareable']));
      this.field(type, 'ref', 'Ref!');
    } else {
      this.field(type, field, 'ID!');
    }
  }

  addValueType() {
    const { random } = this;
    const fields = ['x', 'y', 'z'];
    const whole = random.chance(70);
    for (const subgraph of random.some(this.subgraphs, 1, 70)) {
      const type = this.type(subgraph, 'type', 'Value');
      if (!subgraph.old) type.directives.push('@shareable');
      for (const field of whole ? fields : random.some(fields, 1, 70)) this.field(type, field, random.chance(10) ? 'Int!' : 'Int');
    }
  }

  addEnum() {
    const { random } = this;
    const values = ['RED', 'GREEN', 'BLUE'];
    const whole = random.chance(60);
    for (const subgraph of random.some(this.subgraphs, 1, 60)) {
      const type = this.type(subgraph, 'enum', 'Colour');
      for (const value of whole ? values : random.some(values, 1, 70)) this.field(type, value, '');
    }
  }

  addInput() {
    const { random } = this;
    const whole = random.chance(60);
    for (const subgraph of random.some(this.subgraphs, 1, 60)) {
      const type = this.type(subgraph, 'input', 'Filter');
      const colour = subgraph.types.has('Colour') && random.chance(50) ? 'Colour' : 'String';
      for (const [name, ty] of [['text', 'String'], ['limit', random.chance(15) ? 'Int!' : 'Int'], ['colour', colour]]) {
        if (whole || random.chance(70)) this.field(type, name, ty).args = name === 'limit' && random.chance(30) ? ' = 5' : '';
      }
      if (type.fields.size === 0) this.field(type, 'text', 'String');
    }
  }

  addUnion() {
    const { random } = this;
    for (const subgraph of random.some(this.subgraphs, 1, 60)) {
      const members = this.entities.filter((entity) => entity.homes.includes(subgraph)).map((entity) => entity.name);
      if (members.length > 0) this.type(subgraph, 'union', 'Any0').members = random.some(members, 1, 70);
    }
  }

  addScalar() {
    for (const subgraph of this.random.some(this.subgraphs, 1, 60)) this.type(subgraph, 'scalar', 'Date');
  }

  addInterface() {
    const { random } = this;
    for (const subgraph of random.some(this.subgraphs, 1, 50)) {
      const types = this.entities.map((entity) => subgraph.types.get(entity.name)).filter((type) => type?.fields.has('id'));
      if (types.length === 0) continue;
      this.field(this.type(subgraph, 'interface', 'Node0'), 'id', 'ID!');
      const implementing = random.some(types, 1, 80);
      implementing.forEach((type) => type.implements.push('Node0'));
      if (random.chance(25)) {
        this.field(subgraph.types.get('Node0'), 'note', 'String');
        implementing.forEach((type) => this.field(type, 'note', random.chance(90) ? 'String' : 'String!', ...(subgraph.old ? [] : ['@shareable'])));
      }
      if (random.chance(20)) {
        this.field(this.type(subgraph, 'interface', 'Root0'), 'id', 'ID!');
        [subgraph.types.get('Node0'), ...implementing].forEach((type) => type.implements.push('Root0'));
      }
    }
  }

  /** An interface that is an entity where it is defined, and to which another subgraph adds fields. */
  addInterfaceObject() {
    const { random } = this;
    const [home, other, third] = this.subgraphs.filter((subgraph) => !subgraph.old);
    if (!other) return;
    this.field(this.type(home, 'interface', 'Media'), 'id', 'ID!');
    home.types.get('Media').directives.push(`@key(fields: "id"${random.chance(15) ? ', resolvable: false' : ''})`);
    for (const name of ['Book', 'Film']) {
      const type = this.type(home, 'type', name);
      type.implements.push('Media');
      type.directives.push('@key(fields: "id")');
      this.field(type, 'id', 'ID!');
      this.field(type, name === 'Book' ? 'pages' : 'minutes', 'Int');
      if (random.chance(20)) this.field(type, 'stars', 'Int', '@shareable');
      if (third && random.chance(30)) {
        const elsewhere = this.type(third, 'type', name);
        elsewhere.directives.push('@key(fields: "id")');
        this.field(elsewhere, 'id', 'ID!');
        this.field(elsewhere, `more${name}`, 'String');
      }
    }
    const object = this.type(other, 'type', 'Media');
    object.directives.push('@key(fields: "id")', '@interfaceObject');
    this.field(object, 'id', 'ID!');
    this.field(object, 'stars', 'Int', ...(random.chance(70) ? ['@shareable'] : []));
    if (random.chance(40)) {
      this.field(home.types.get('Media'), 'title', 'String');
      for (const name of ['Book', 'Film']) this.field(home.types.get(name), 'title', 'String');
      this.field(object, 'title', 'String', '@external');
      this.field(object, 'slug', 'String', '@requires(fields: "title")');
    }
  }

  /** `@requires`, `@provides` and `@override`. */
  addMoves(entity) {
    const { random } = this;
    if (entity.homes.length < 2) return;
    const plain = (type) => [...type.fields].filter(([name, field]) => name.startsWith('f') && field.directives.length === 0);
    for (let tries = 0; tries < 3; tries += 1) {
      const from = random.pick(entity.homes);
      const to = random.pick(entity.homes.filter((home) => home !== from));
      const [source, target] = [from.types.get(entity.name), to.types.get(entity.name)];
      const candidates = plain(source).filter(([name]) => !target.fields.has(name));
      if (candidates.length === 0) continue;
      const [name, field] = random.pick(candidates);
      const base = field.ty.replace(/[[\]!]/g, '');
      if (!SCALARS.includes(base)) {
        this.addNestedMove(tries, name, field, base, from, to, target);
        continue;
      }
      const copy = () => Object.assign(this.field(target, name, field.ty), { args: field.args });
      const kind = random.below(3);
      if (kind === 0 && field.args === '') {
        copy().directives.push('@external');
        this.field(target, `r${tries}`, random.pick(SCALARS), `@requires(fields: "${name}")`);
      } else if (kind === 1 && field.args === '') {
        copy().directives.push('@external');
        if (!from.old) field.directives.push('@shareable');
        this.field(this.type(to, 'type', 'Query'), `p${entity.name}${tries}`, entity.name, `@provides(fields: "${name}")`);
      } else if (kind === 2 && !to.old) {
        copy().directives.push(`@override(from: "${from.name}")`);
      }
    }
  }

  /** `@requires` or `@provides` of a field of the entity that a field leads to. */
  addNestedMove(tries, name, field, base, from, to, target) {
    const { random } = this;
    const inner = to.types.get(base);
    const outer = from.types.get(base);
    if (!inner || !outer || inner.keyword !== 'type' || field.args !== '' || inner === target) return;
    const leaves = [...outer.fields].filter(([leaf, { ty, args, directives }]) => SCALARS.includes(ty.replace(/[[\]!]/g, '')) && args === '' && directives.length === 0 && !inner.fields.has(leaf));
    if (leaves.length === 0) return;
    const [leaf, source] = random.pick(leaves);
    this.field(inner, leaf, source.ty, '@external');
    this.field(target, name, field.ty, '@external');
    this.field(target, `n${tries}`, random.pick(SCALARS), `@requires(fields: "${name} { ${leaf} }")`);
  }

  addQueries(subgraph) {
    const { random } = this;
    const names = [...subgraph.types.values()].filter((type) => !['enum', 'input', 'scalar'].includes(type.keyword) && type.name !== 'Query').map((type) => type.name);
    const query = this.type(subgraph, 'type', 'Query');
    for (const name of random.some(names, 0, 45)) this.field(query, `${name.toLowerCase()}${random.chance(15) ? '' : subgraph.name}`, random.pick([name, `[${name}]`, `${name}!`]));
    if (subgraph.types.has('Filter')) this.field(query, `find${subgraph.name}`, subgraph.types.has('Colour') && random.chance(40) ? 'Colour' : 'Int').args = '(by: Filter)';
    if (query.fields.size === 0) this.field(query, `n${subgraph.name}`, 'Int');
    if (random.chance(15)) this.field(query, 'shared', random.pick(['Int', 'Int', 'String']), ...(subgraph.old ? [] : ['@shareable']));
    if (random.chance(10)) this.field(this.type(subgraph, 'type', 'Mutation'), `set${subgraph.name}`, 'Int');
    if (random.chance(8)) this.field(this.type(subgraph, 'type', 'Subscription'), `on${subgraph.name}`, 'Int');
  }

  annotate() {
    const { random } = this;
    const subgraph = random.pick(this.subgraphs);
    if (subgraph.old) return;
    const type = random.pick([...subgraph.types.values()]);
    const annotation = random.pick(ANNOTATIONS);
    const fields = [...type.fields.values()];
    if (random.chance(20) && type.name !== 'Query' && !annotation.startsWith('@deprecated')) type.directives.push(annotation);
    else if (random.chance(20)) type.description = random.pick(['One.', 'Another.']);
    else if (fields.length > 0) random.pick(fields)[random.chance(25) ? 'description' : 'annotation'] = annotation;
  }
}

function print(subgraph) {
  const lines = [];
  if (!subgraph.old) {
    const imports = IMPORTS.map((name) => `"${name}"`).join(', ');
    lines.push(`extend schema @link(url: "https://specs.apollo.dev/federation/v2.${subgraph.minor}", import: [${imports}])`);
  }
  for (const type of subgraph.types.values()) {
    if (type.description && !type.keyword.startsWith('extend')) lines.push(`"${type.description}"`);
    const head = [type.keyword, type.name];
    if (type.implements.length > 0) head.push('implements', type.implements.join(' & '));
    head.push(...type.directives);
    if (type.members) {
      lines.push(`${head.join(' ')} = ${type.members.join(' | ')}`);
      continue;
    }
    if (type.keyword === 'scalar') {
      lines.push(head.join(' '));
      continue;
    }
    lines.push(`${head.join(' ')} {`);
    for (const [name, field] of type.fields) lines.push(`  ${printField(type, name, field)}`);
    lines.push('}');
  }
  return `${lines.join('\n')}\n`;
}

function printField(type, name, field) {
  const directives = [...field.directives, field.annotation ?? []].flat().map((directive) => ` ${directive}`).join('');
  const described = field.description ? `"About ${field.description.slice(1, 4)}." ` : '';
  if (type.keyword === 'enum') return `${described}${name}${directives}`;
  if (type.keyword === 'input') return `${described}${name}: ${field.ty}${field.args}${directives}`;
  return `${described}${name}${field.args}: ${field.ty}${directives}`;
}
