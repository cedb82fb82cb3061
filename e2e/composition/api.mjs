/**
 * The schema that clients see of a supergraph, printed and sorted, so that two compositions can be compared as text.
 *
 * Derived here and for both in the same way: the schema without what linked specifications define, without what is
 * `@inaccessible`, without directives that mean nothing to clients.
 */
import { buildASTSchema, Kind, lexicographicSortSchema, parse, printSchema, valueFromASTUntyped, visit } from 'graphql';

const FOR_OPERATIONS = ['QUERY', 'MUTATION', 'SUBSCRIPTION', 'FIELD', 'FRAGMENT_DEFINITION', 'FRAGMENT_SPREAD', 'INLINE_FRAGMENT', 'VARIABLE_DEFINITION'];
const FOR_CLIENTS = ['deprecated', 'specifiedBy', 'oneOf'];

/** What clients see of `supergraph`, an SDL. */
export function clientSchema(supergraph) {
  const document = parse(supergraph);
  const links = linksOf(document);
  const isMachinery = machinery(links);
  const inaccessible = localName(links.find(({ url }) => url.includes('/inaccessible/')), 'inaccessible');
  const isInaccessible = (node) => node.directives?.some((directive) => directive.name.value === inaccessible) ?? false;
  const hidden = new Set(document.definitions.filter(isInaccessible).map((definition) => definition.name.value));
  const withoutHidden = visit(document, {
    enter(node) {
      if (isInaccessible(node)) return null;
      if (node.kind === Kind.OPERATION_TYPE_DEFINITION && hidden.has(node.type.name.value)) return null;
      if (node.kind === Kind.NAMED_TYPE && hidden.has(node.name.value)) return null;
      if (node.kind === Kind.DIRECTIVE_DEFINITION && !node.locations.some((location) => FOR_OPERATIONS.includes(location.value))) return null;
      if (document.definitions.includes(node) && isMachinery(node.name?.value)) return null;
      return undefined;
    },
  });
  const cleaned = visit(withoutHidden, {
    enter(node) {
      if (!node.directives?.length) return undefined;
      return { ...node, directives: node.directives.filter((directive) => FOR_CLIENTS.includes(directive.name.value)) };
    },
  });
  return sorted(cleaned);
}

/** A schema's document as text that only depends on what the schema says. */
export function sorted(document) {
  return printSchema(lexicographicSortSchema(buildASTSchema(document, { assumeValidSDL: true })));
}

/** Arguments of each `@link`. */
function linksOf(document) {
  const schema = document.definitions.find((definition) => definition.kind === Kind.SCHEMA_DEFINITION);
  return (schema?.directives ?? []).filter((directive) => directive.name.value === 'link').map(valuesOf);
}

/** What the directive `name` of the linked specification of that name is called. */
function localName(link, name) {
  const imported = link?.import?.find((element) => element.name === `@${name}`)?.as?.slice(1);
  return imported ?? link?.as ?? name;
}

/** Whether a name is that of a linked specification, begins with it, or is imported from one. */
function machinery(links) {
  const prefixes = links.map(({ url, as }) => as ?? url.replace(/\/v\d+\.\d+$/, '').split('/').at(-1));
  const imported = links.flatMap((link) => link.import ?? []).map((name) => (name.as ?? name.name ?? name).replace(/^@/, ''));
  return (name) => imported.includes(name) || prefixes.some((prefix) => name === prefix || name?.startsWith(`${prefix}__`));
}

function valuesOf(directive) {
  return Object.fromEntries(directive.arguments.map(({ name, value }) => [name.value, valueFromASTUntyped(value)]));
}
