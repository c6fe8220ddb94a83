import type { StreamName, StreamTypes } from '#libs/streams';
import { EventPattern } from '@nestjs/microservices';
import type { Batch, BatchContext } from './batch-context.js';
import type { HandlerOptions } from './journal-server.js';

/** A handler of a stage. */
type Handler<S extends StreamName> = (
  batch: Batch<StreamTypes[S]>,
  context: BatchContext,
) => void | Promise<void>;

/**
 * A method that gets batches of a stream: Nest's `@EventPattern`, by the catalogue of streams. A name that is not in it
 * does not compile, nor does a method that takes other entries than those of the stream.
 */
export function FromStream<S extends StreamName>(
  stream: S,
  options: HandlerOptions = {},
): <H extends Handler<S>>(target: object, name: string, method: TypedPropertyDescriptor<H>) => void {
  const decorate: MethodDecorator = EventPattern<string>(stream, { ...options });
  return (target, name, method) => {
    decorate(target, name, method);
  };
}
