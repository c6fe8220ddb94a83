import { checked } from '#libs/http';
import type { PipeTransform } from '@nestjs/common';
import type { z } from 'zod';

/** Checks a query or body against its schema; a problem names the member. */
export class ZodPipe<S extends z.ZodType> implements PipeTransform<unknown, z.output<S>> {
  constructor(private readonly schema: S) {}

  transform(value: unknown): z.output<S> {
    return checked(this.schema, value);
  }
}
