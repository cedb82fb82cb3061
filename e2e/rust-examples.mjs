/**
 * The example binaries of the crate `federation`, which are built with the Rust tests: how a test in JavaScript reaches the engine
 * without a server. An environment variable of an example's name in capitals, as `COMPOSE_BATCH`, names another build.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const WORKSPACE = fileURLToPath(new URL('..', import.meta.url));

/** The path of an example's program. */
export function findExample(name) {
  const target = process.env.CARGO_TARGET_DIR ?? join(WORKSPACE, 'target');
  const program = resolve(process.env[name.toUpperCase()] ?? join(target, 'debug', 'examples', name));
  assert.ok(existsSync(program), `no program at ${program}: run \`cargo build --package federation --example ${name}\``);
  return program;
}
