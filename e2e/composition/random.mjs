/**
 * Random choices that a seed repeats: the generator of subgraphs must make the same sets on every machine.
 *
 * The sequence is mulberry32, which is good enough to choose with and short enough to read.
 */
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 up to, but not including, `limit`. */
  below(limit) {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  /** True in `percent` of 100 cases. */
  chance(percent) {
    return this.below(100) < percent;
  }

  /** One of `items`, which must not be empty. */
  pick(items) {
    return items[this.below(items.length)];
  }

  /** At least `atLeast` of `items`, in their order. */
  some(items, atLeast, percent) {
    const chosen = items.filter(() => this.chance(percent));
    while (chosen.length < Math.min(atLeast, items.length)) {
      const rest = items.filter((item) => !chosen.includes(item));
      chosen.push(this.pick(rest));
    }
    return items.filter((item) => chosen.includes(item));
  }
}
