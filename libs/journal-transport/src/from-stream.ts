import type { StreamName, StreamTypes } from '#libs/streams';
import { EventPattern } from '@nestjs/microservices';
import type { Batch, BatchContext, Pieces } from './batch-context.js';
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
): <H extends Handler<S>>(target: object, name: string, method: TypedPropertyDescriptor<H>) => void {
  const decorate: MethodDecorator = EventPattern<string>(stream);
  return (target, name, method) => {
    decorate(target, name, method);
  };
}

/** Begins a batch; called once for each. */
type PiecesHandler<S extends StreamName> = (
  context: BatchContext,
) => Pieces<StreamTypes[S]> | Promise<Pieces<StreamTypes[S]>>;

/** As {@link FromStream}, for a method that takes a large batch piece by piece: it returns what they are given to. */
export function InPieces<S extends StreamName>(
  stream: S,
): <H extends PiecesHandler<S>>(target: object, name: string, method: TypedPropertyDescriptor<H>) => void {
  const decorate: MethodDecorator = EventPattern<string>(stream, { inPieces: true } satisfies HandlerOptions);
  return (target, name, method) => {
    decorate(target, name, method);
  };
}
