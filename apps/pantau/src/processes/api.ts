import { FullCheckJob, startGateway } from '#apps/gateway';
import { OpenIdSignIn, SignIn } from '#libs/identity';
import type { Logger } from '#libs/platform';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { claimedStages } from './claims.js';
import { storeKeepsFrom, systemClock } from '../storage/engines.js';
import { fullCheckInThread } from '../verification/full-check-thread.js';
import { uplinkHandOn } from '../configuration/http-intake-options.js';
import { ingestOptions } from '../configuration/ingest-options.js';
import { alertRules } from '../configuration/configured-files.js';
import { brokerListeners } from '../configuration/broker-listeners.js';
import { STAGES, type StageParts } from '../stages.js';
import { verify } from '../verification/verification.js';
import type { Pulse, ThreadName } from '../watchdog/watchdog.js';

/** A broker that misses this many beats is gone. */
const BEATS_MISSED = 3;

/** The page, built beside the program. */
const PAGE = fileURLToPath(new URL('../../../../web', import.meta.url));

export interface Api {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves the API over the journal, the state and the store of this process. */
export async function startApi(
  { config, engines, store }: StageParts,
  { logger, pulse, threads }: { logger: Logger; pulse: Pulse; threads: readonly ThreadName[] },
): Promise<Api> {
  const clock = systemClock;
  const ingest = await ingestOptions(config, engines.registry);
  const fullCheck = new FullCheckJob(fullCheckInThread(config, store()), clock);
  const watched = {
    stages: Object.fromEntries(STAGES.map(({ name, reads }) => [name, reads])),
    claimed: () =>
      claimedStages(
        STAGES.map(({ name }) => name),
        engines.journal.shards,
        { state: engines.state, clock },
      ),
    threads: () => threads.map((name) => ({ name, lagMs: pulse.lagMs(name) })),
  };
  const presencePolicy = {
    graceMs: config.mqtt.flapGrace,
    brokerSilenceMs: BEATS_MISSED * config.livenessBeat,
  };
  const parts = { store: store(), fullCheck, presencePolicy, rules: alertRules(config), clock, watched };
  const verifying = { engines, ingest, livenessBeat: config.livenessBeat, store: store() };
  const options = { ...config.http, logger, page: PAGE, uplinks: uplinkHandOn(config) };
  const { openIdConnect: signOn } = config.accounts;
  const dependencies = {
    ...engines,
    publicUrl: config.http.publicUrl,
    openId: signOn === undefined ? undefined : new OpenIdSignIn(signOn, engines.users),
    signIn: new SignIn(engines.users, engines.secondFactor, clock),
    ...parts,
    codecs: ingest.codecs,
    brokerListeners: brokerListeners(config),
    keeping: { journal: config.journal.retention, store: config.store.retention },
    verify: (indicator: string, subject: string, period: string) => {
      const bounds = { now: clock.now(), keptFrom: storeKeepsFrom(config) };
      return verify({ ...verifying, ...bounds }, indicator, subject, period);
    },
  };
  const gateway = await startGateway(dependencies, options);
  const { port } = gateway.getHttpServer().address() as AddressInfo;
  return {
    port,
    async close() {
      await gateway.close();
      await fullCheck.cancel();
    },
  };
}
