import type { AgedRows } from '#libs/state';
import type { StreamName } from '#libs/streams';
import type { DynamicModule } from '@nestjs/common';

/** One stage of the pipeline, as its app declares it: the row of a table from which everything follows that runs stages. */
export interface Stage<Options> {
  /** Its cursors carry it. */
  readonly name: string;
  /** Streams that its handlers get; a stage whose handlers differ does not start. */
  readonly reads: readonly StreamName[];
  /** Streams that its handlers may append to. What is set aside goes to `rejected` in any case. */
  readonly appends: readonly StreamName[];
  /** The namespaces that it writes whose rows go by their age. */
  trims?(): Promise<readonly AgedRows[]>;
  /** Loads the code and puts it together; the declaration itself costs nothing to load. */
  module(options: Options): Promise<DynamicModule>;
}

/** Gives the declaration of a stage its type. */
export function defineStage<Options>(stage: Stage<Options>): Stage<Options> {
  return stage;
}
