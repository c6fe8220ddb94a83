/** An event of a stream (HTML standard, 9.2.6). Without a type it is a sign of life that moves the place. */
export interface StreamEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** Beyond it no event of Pantau goes; what sends more is not Pantau. */
const LONGEST = 4_000_000;

/** Reads events out of text that comes in pieces cut anywhere. */
export class EventReader {
  #rest = '';
  #id = '';

  /** @returns the events that are complete with this piece @throws RangeError for an event without an end */
  read(piece: string): StreamEvent[] {
    const blocks = (this.#rest + piece).split(/\r?\n\r?\n/);
    this.#rest = blocks.pop() ?? '';
    if (this.#rest.length > LONGEST) throw new RangeError('an event without an end');
    return blocks.flatMap((block) => this.#event(block));
  }

  #event(block: string): StreamEvent[] {
    let type = '';
    const data: string[] = [];
    let hasId = false;
    for (const line of block.split(/\r?\n/)) {
      const [name = '', ...rest] = line.split(':');
      const value = rest.join(':').replace(/^ /, '');
      if (name === 'id') [this.#id, hasId] = [value, true];
      else if (name === 'event') type = value;
      else if (name === 'data') data.push(value);
    }
    return hasId || data.length > 0 ? [{ id: this.#id, type, data: data.join('\n') }] : [];
  }
}
