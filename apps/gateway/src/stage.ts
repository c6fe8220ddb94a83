import { defineStage } from '#libs/journal-transport';
import type { Millis } from '#libs/kernel';
import { agedRows } from '#libs/state';

export interface GatewayStageOptions {
  /** A device that is back within this was not away. */
  readonly flapGraceMs: Millis;
}

/** What the API shows without searching: the read models. */
export const gatewayStage = defineStage<GatewayStageOptions>({
  name: 'gateway',
  reads: ['alerts', 'readings', 'rollups', 'signals', 'rejected', 'liveness', 'commands', 'configurations'],
  appends: [],
  async trims() {
    const { ALERT_VIEWS, COMMAND_VIEWS } = await import('./namespaces.js');
    return [agedRows(ALERT_VIEWS), agedRows(COMMAND_VIEWS)];
  },
  async module({ flapGraceMs }) {
    const { ProjectionModule } = await import('./gateway.js');
    return ProjectionModule.register(flapGraceMs);
  },
});
