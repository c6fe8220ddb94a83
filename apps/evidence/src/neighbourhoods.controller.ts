import { compareWithNeighbours, NeighbourMap, type ComparisonLimits } from '#libs/evidence';
import type { Registry } from '#libs/identity';
import { FromStream, type Batch, type BatchContext } from '#libs/journal-transport';
import type { HourlyMean } from '#libs/telemetry';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { COMPARISON_LIMITS, EVIDENCE_REGISTRY } from './evidence.controller.js';

/** `neighbourhoods` → which hourly means the neighbours of their devices disagree with. */
@Controller()
export class NeighbourhoodsController {
  readonly #neighbours: NeighbourMap;

  constructor(
    @Inject(EVIDENCE_REGISTRY) registry: Registry,
    @Inject(COMPARISON_LIMITS) private readonly limits: ComparisonLimits,
  ) {
    this.#neighbours = new NeighbourMap(registry, limits.widestKm);
  }

  @FromStream('neighbourhoods')
  async neighbourhoods(@Payload() batch: Batch<HourlyMean>, @Ctx() context: BatchContext): Promise<void> {
    const means = batch.map(({ data }) => data);
    await compareWithNeighbours(means, context.state, await this.#neighbours.current(), this.limits);
  }
}
