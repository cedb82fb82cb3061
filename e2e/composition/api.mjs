/**
 * The schema that clients see of a supergraph, printed and sorted, so that two compositions can be compared as text.
 *
 * Derived here and for both in the same way: the schema without the types of the join and link specifications, without what is
 * `@inaccessible`, without directives that mean nothing to clients.
 */
import { buildASTSchema, Kind, lexicographicSortSchema, parse, printSchema, visit } from 'graphql';

const MACHINERY = /^(join|link|federation|core|policy|requiresScopes|context|cost|tag|inaccessible)__|^link$|^(tag|inaccessible|authenticated|requiresScopes|policy|cost|listSize|context|cacheTag)$/;
const FOR_CLIENTS = ['deprecated', 'specifiedBy', 'oneOf'];

const isInaccessible = (node) => node.directives?.some((directive) => directive.name.value === 'inaccessible') ?? false;

/** What clients see of `supergraph`, an SDL. */
export function clientSchema(supergraph) {
  const document = parse(supergraph);
  const hidden = new Set(document.definitions.filter(isInaccessible).map((definition) => definition.name.value));
  const withoutHidden = visit(document, {
    enter(node) {
      if (isInaccessible(node)) return null;
      if (node.kind === Kind.OPERATION_TYPE_DEFINITION && hidden.has(node.type.name.value)) return null;
      if (node.kind === Kind.NAMED_TYPE && hidden.has(node.name.value)) return null;
      if ('name' in node && MACHINERY.test(node.name?.value) && node.kind.endsWith('Definition')) return null;
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
