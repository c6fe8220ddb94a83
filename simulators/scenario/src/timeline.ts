import type { UtcMillis } from '#libs/kernel';
import type { SimulatedMessage } from '#simulators/devices';
import type { SimulatedDevice } from './fleet.js';
import type { Scenario } from './scenario.js';

/** A message of a device when its turn has come. */
export interface DueMessage {
  readonly device: SimulatedDevice;
  readonly message: SimulatedMessage;
}

interface Source {
  readonly device: SimulatedDevice;
  /** Its place in the fleet: decides between messages of one instant. */
  readonly place: number;
  readonly rest: Iterator<SimulatedMessage>;
  next: SimulatedMessage;
}

/**
 * The messages of a whole fleet in the order of their delivery, made as they are asked for. The order is a function of the
 * scenario alone.
 */
export function* dueMessages({ devices }: Pick<Scenario, 'devices'>): Generator<DueMessage> {
  const heap: Source[] = [];
  for (const [place, device] of devices.entries()) {
    const rest = device.messages()[Symbol.iterator]();
    const first = rest.next();
    if (first.done !== true) push(heap, { device, place, rest, next: first.value });
  }
  for (let source = heap[0]; source !== undefined; source = heap[0]) {
    yield { device: source.device, message: source.next };
    const following = source.rest.next();
    if (following.done === true) replaceTop(heap, heap.pop());
    else {
      source.next = following.value;
      replaceTop(heap, source);
    }
  }
}

function isBefore(one: Source, other: Source): boolean {
  const difference = one.next.deliverAt - other.next.deliverAt;
  return difference === 0 ? one.place < other.place : difference < 0;
}

/** Binary heap, the earliest at place 0. */
function push(heap: Source[], source: Source): void {
  heap.push(source);
  let place = heap.length - 1;
  while (place > 0) {
    const parent = (place - 1) >> 1;
    if (!isBefore(source, heap[parent] as Source)) break;
    heap[place] = heap[parent] as Source;
    place = parent;
  }
  heap[place] = source;
}

function replaceTop(heap: Source[], source: Source | undefined): void {
  if (source === undefined || heap.length === 0) return;
  let place = 0;
  for (;;) {
    let child = 2 * place + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1] as Source, heap[child] as Source)) child++;
    if (!isBefore(heap[child] as Source, source)) break;
    heap[place] = heap[child] as Source;
    place = child;
  }
  heap[place] = source;
}

/** Something that happens to a device or a link at an instant. */
export interface Edge {
  readonly at: UtcMillis;
  readonly kind: 'power-off' | 'power-on';
  readonly device: string;
}

/** Power that goes and comes back, in the order of time; overlapping cuts of a device are one. */
export function powerEdges({ devices, to }: Pick<Scenario, 'devices' | 'to'>): Edge[] {
  const edges: Edge[] = [];
  for (const { id, faults } of devices) {
    const cuts = faults
      .filter(({ kind }) => kind === 'power' || kind === 'reboot')
      .toSorted((a, b) => a.from - b.from);
    let until = -Infinity;
    for (const cut of cuts) {
      if (cut.from > until) {
        if (until !== -Infinity) edges.push({ at: until, kind: 'power-on', device: id });
        edges.push({ at: cut.from, kind: 'power-off', device: id });
      }
      until = Math.max(until, cut.to);
    }
    if (until !== -Infinity) edges.push({ at: Math.min(until, to), kind: 'power-on', device: id });
  }
  return edges.sort((a, b) => a.at - b.at);
}
