/**
 * Runs many sets of subgraphs through our composition and through the one of The Guild, and says where they disagree.
 *
 * Ours is the example `compose_batch` of the crate `federation`, built with the Rust tests; `COMPOSE_BATCH` names another build. A
 * disagreement that `differences.json` does not list is for the test to fail on.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { composeServices } from '@theguild/federation-composition';
import { parse } from 'graphql';
import { findExample } from '../rust-examples.mjs';
import { clientSchema } from './api.mjs';

const MAX_OUTPUT_BYTES = 1 << 30;

/** For each set `{ errors: [{ code, message }] }`, or `{ supergraph, api, hints: [code] }`, `api` being what the engine shows clients. */
export function composeOurs(sets) {
  const input = sets.map((set) => `${JSON.stringify(set)}\n`).join('');
  const { status, stdout, stderr } = spawnSync(findExample('compose_batch'), { input, encoding: 'utf8', maxBuffer: MAX_OUTPUT_BYTES });
  assert.equal(status, 0, stderr);
  const results = stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.equal(results.length, sets.length);
  return results.map(({ errors, hints, ...schemas }) => (errors ? { errors } : { ...schemas, hints: hints.map((hint) => hint.code) }));
}

/** The same of the other composition. What it throws is an error with the code `THROWN`. */
export function composeTheirs(set) {
  try {
    const services = set.map(({ name, sdl }) => ({ name, url: `http://${name}.test`, typeDefs: parse(sdl) }));
    const { errors, supergraphSdl } = composeServices(services);
    if (errors?.length) return { errors: errors.map((error) => ({ code: error.extensions.code, message: error.message })) };
    return { supergraph: supergraphSdl };
  } catch (error) {
    return { errors: [{ code: 'THROWN', message: error.message }] };
  }
}

/** Which disagreements are known, and why. See `differences.json`. */
export class Differences {
  #known = JSON.parse(readFileSync(new URL('differences.json', import.meta.url), 'utf8'));
  #uses = new Map();

  /** What is not listed of the disagreement about one set, or `undefined`. */
  unlisted(set, ours, theirs) {
    if (ours.errors && theirs.errors) return undefined;
    if (ours.errors) return this.#unlistedErrors('only we refuse', set, ours.errors);
    if (theirs.errors) return this.#unlistedErrors('only they refuse', set, theirs.errors, ours.hints);
    return this.#unlistedSchema(set, ours, theirs);
  }

  /** How often each listed difference was met, by its reason. */
  uses() {
    return this.#uses;
  }

  /** Listed differences that were never met: the list must not outlive its reasons. */
  unused() {
    return Object.values(this.#known).flat().filter((known) => !this.#uses.has(known.reason));
  }

  #unlistedErrors(side, set, errors, hints = []) {
    const unlisted = errors.filter(({ code, message }) => {
      const known = this.#known[side].find(
        (entry) =>
          entry.code === code && new RegExp(entry.message ?? '').test(message) && (!entry.hint || hints.includes(entry.hint)) && someSubgraph(set, entry.sdl),
      );
      return !this.#use(known);
    });
    return unlisted.length > 0 ? `${side}: ${unlisted.map(({ code, message }) => `${code} ${message}`).join('; ')}` : undefined;
  }

  #unlistedSchema(set, ours, theirs) {
    const [left, right] = [ours, theirs].map(({ supergraph }) => clientSchema(supergraph));
    if (left === right) return undefined;
    const difference = differingLines(left, right);
    const known = this.#known['schemas differ'].find(
      ({ hint, sdl, line }) =>
        (!hint || ours.hints.includes(hint)) &&
        someSubgraph(set, sdl) &&
        new RegExp(line, 'm').test(difference),
    );
    return this.#use(known) ? undefined : `schemas differ:\n${difference}`;
  }

  #use(known) {
    if (known) this.#uses.set(known.reason, (this.#uses.get(known.reason) ?? 0) + 1);
    return known !== undefined;
  }
}

/** Whether a subgraph is of the kind that an entry of the list is about, if it is about one. */
function someSubgraph(set, sdl) {
  return !sdl || set.some((subgraph) => new RegExp(sdl).test(subgraph.sdl));
}

/** Lines that one of two texts has more often, with `-` for ours and `+` for theirs. */
function differingLines(left, right) {
  const [ours, theirs] = [left.split('\n'), right.split('\n')];
  return [...without(ours, theirs).map((line) => `-${line}`), ...without(theirs, ours).map((line) => `+${line}`)].join('\n');
}

/** What is left of lines when each of the others has taken one that is the same. */
function without(lines, others) {
  const left = new Map();
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
}
