/**
 * Two small subgraphs of a shop, on ports of their own: products, which can be subscribed to over graphql-transport-ws, and reviews,
 * which takes its time. And the supergraph of the two.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { graphql, buildSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

/** How long reviews take to answer: long enough that whatever does not need them is answered before. */
const REVIEWS_TAKE_MS = 150;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const product = (id) => ({ __typename: 'Product', id, name: `Product ${id}` });

const products = {
  schema: buildSchema(`
    type Query { products: [Product!]! _entities(representations: [_Any!]!): [_Entity]! }
    type Subscription { ticks(count: Int!): Product! broken: Product! }
    type Product { id: ID! name: String! }
    union _Entity = Product
    scalar _Any
  `),
  rootValue: {
    products: ['1', '2', '3'].map(product),
    _entities: ({ representations }) => representations.map(({ id }) => product(id)),
    async *ticks({ count }) {
      for (let id = 1; id <= count; id += 1) yield { ticks: product(String(id)) };
    },
    broken() {
      throw new Error('not today');
    },
  },
};

const reviews = {
  schema: buildSchema(`
    type Query { _entities(representations: [_Any!]!): [_Entity]! }
    type Product { id: ID! rating: Float strict: String! }
    union _Entity = Product
    scalar _Any
  `),
  rootValue: {
    _entities: async ({ representations }) => {
      await sleep(REVIEWS_TAKE_MS);
      return representations.map(({ id }) => ({ __typename: 'Product', id, rating: Number(id) / 2, strict: null }));
    },
  },
};

/** Serves a subgraph over HTTP, and over WebSockets where it has subscriptions. */
async function serve({ schema, rootValue }) {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { query, variables } = JSON.parse(body);
    const answer = await graphql({ schema, rootValue, source: query, variableValues: variables });
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  if (schema.getSubscriptionType()) {
    useServer({ schema, roots: { subscription: rootValue } }, new WebSocketServer({ server }));
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const supergraph = (productsUrl, reviewsUrl) => `
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
{
  query: Query
  subscription: Subscription
}

directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA

scalar join__FieldSet
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
enum join__Graph {
  PRODUCTS @join__graph(name: "products", url: "${productsUrl}")
  REVIEWS @join__graph(name: "reviews", url: "${reviewsUrl}")
}

type Query @join__type(graph: PRODUCTS) @join__type(graph: REVIEWS) {
  products: [Product!]! @join__field(graph: PRODUCTS)
}
type Subscription @join__type(graph: PRODUCTS) {
  ticks(count: Int!): Product! @join__field(graph: PRODUCTS)
  broken: Product! @join__field(graph: PRODUCTS)
}
type Product @join__type(graph: PRODUCTS, key: "id") @join__type(graph: REVIEWS, key: "id") {
  id: ID!
  name: String! @join__field(graph: PRODUCTS)
  rating: Float @join__field(graph: REVIEWS)
  strict: String! @join__field(graph: REVIEWS)
}
`;

/** Starts the subgraphs: the supergraph's SDL, and a way to stop them. */
export async function shop() {
  const servers = await Promise.all([products, reviews].map(serve));
  const [productsUrl, reviewsUrl] = servers.map((server) => `http://127.0.0.1:${server.address().port}/graphql`);
  const stop = async () => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  };
  return { sdl: supergraph(productsUrl, reviewsUrl), stop };
}
