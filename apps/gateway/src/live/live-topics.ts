import { alertEventOf } from '#libs/alerting';
import type { StreamName, StreamTypes } from '#libs/streams';
import { alertItem } from '../alerts/alert-item.js';
import { iso } from '../http/iso.js';

/** What can be followed, each from a stream of the journal. */
export const LIVE_TOPICS = ['readings', 'presence', 'alerts', 'figures', 'commands'] as const;
export type LiveTopic = (typeof LIVE_TOPICS)[number];

/** An entry as it is shown. */
export interface Shown {
  readonly site: string | undefined;
  readonly device: string | undefined;
  readonly data: object;
}

interface TopicOf<S extends StreamName> {
  readonly stream: S;
  /** Undefined for what is nobody's concern. */
  readonly show: (data: StreamTypes[S]) => Shown | undefined;
}

const topic = <S extends StreamName>(stream: S, show: TopicOf<S>['show']) =>
  // Whoever reads a stream by its name gets entries of its type.
  ({ stream, show }) as unknown as TopicOf<StreamName>;

export const TOPICS: Readonly<Record<LiveTopic, TopicOf<StreamName>>> = {
  readings: topic('readings', ({ site, device, ts, receivedAt, clock, amendment, readings }) => ({
    ...{ site, device },
    data: iso({ site, device, ts, receivedAt, clock, amendment, readings }),
  })),
  presence: topic('signals', (signal) => {
    const { site, device } = signal;
    const inner = { uplink: undefined, session: undefined, run: undefined, data: undefined };
    // What a device calls its own members is not for Pantau to read.
    const own = signal.type === 'event' ? { data: signal.data } : {};
    return { site, device, data: { ...iso({ ...signal, ...inner }), ...own } };
  }),
  alerts: topic('alerts', (stored) => {
    const item = alertItem(alertEventOf(stored), []);
    const { site, device } = item;
    return { site, device, data: iso({ ...item, history: undefined }) };
  }),
  figures: topic('rollups', ({ from, to, ...figure }) => ({
    site: figure.site,
    device: figure.device,
    data: { ...figure, from: new Date(from).toISOString(), to: new Date(to).toISOString() },
  })),
  commands: topic('commands', ({ id, site, device, state, at, command, detail }) => ({
    ...{ site, device },
    data: iso({ id, site, device, state, at, name: command?.name, detail }),
  })),
};
