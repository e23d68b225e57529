type Due = { atMs: number; order: number; happen: () => void };

/** Virtual time: what is due next happens next, and time jumps to it. Equal times go in the order they were set. */
export class Timeline {
  nowMs: number;
  /** How many things have happened. */
  steps = 0;
  #order = 0;
  readonly #heap: Due[] = [];

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  get pending(): number {
    return this.#heap.length;
  }

  at(atMs: number, happen: () => void): void {
    this.#order += 1;
    this.#push({ atMs: Math.max(atMs, this.nowMs), order: this.#order, happen });
  }

  after(ms: number, happen: () => void): void {
    this.at(this.nowMs + ms, happen);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Lets the next thing happen, and all that follows from it at once; false when nothing is left. */
  async step(): Promise<boolean> {
    const due = this.#pop();
    if (due === undefined) return false;
    this.nowMs = due.atMs;
    this.steps += 1;
    due.happen();
    await microtasksDone();
    return true;
  }

  #push(due: Due): void {
    const heap = this.#heap;
    heap.push(due);
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!isBefore(heap, at, parent)) return;
      swap(heap, at, parent);
      at = parent;
    }
  }

  #pop(): Due | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const right = left + 1;
      let least = at;
      if (left < heap.length && isBefore(heap, left, least)) least = left;
      if (right < heap.length && isBefore(heap, right, least)) least = right;
      if (least === at) return first;
      swap(heap, at, least);
      at = least;
    }
  }
}

const waiting: (() => void)[] = [];
const turnsAtOnce = 64;
let turns = 0;

/**
 * Every promise of the simulated core settles in microtasks; they are all done when this comes. Node does them all
 * between two immediates, so that many steps fit into one round of its event loop.
 */
const microtasksDone = (): Promise<void> =>
  new Promise((resolve) => {
    waiting.push(resolve);
    if (turns > 0) return;
    turns = turnsAtOnce;
    for (let turn = 0; turn < turnsAtOnce; turn += 1)
      setImmediate(() => {
        turns -= 1;
        waiting.shift()?.();
      });
  });

function isBefore(heap: readonly Due[], one: number, other: number): boolean {
  const a = heap[one];
  const b = heap[other];
  if (a === undefined || b === undefined) return false;
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function swap(heap: Due[], one: number, other: number): void {
  const a = heap[one];
  const b = heap[other];
  if (a === undefined || b === undefined) return;
  heap[one] = b;
  heap[other] = a;
}
