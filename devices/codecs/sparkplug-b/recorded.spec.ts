import { defined } from '#libs/kernel';
import type { CodecResult } from '#libs/telemetry';
import { fixture, message, unnamed } from '../codec.contract.js';
import { codec as named } from './index.js';
import { bytes, float, int, payload } from './sparkplug.fixture.js';

const codec = unnamed(named);
const topic = (type: string, device?: string): string =>
  `spBv1.0/kab/${type}/gw-1${device === undefined ? '' : `/${device}`}`;
const decode = (where: string, body: Uint8Array, memory?: unknown): CodecResult =>
  codec.decode(message(body, { topic: where, memory, parts: {} }));
describe('sparkplug-b', () => {
  it.each(['spec_example_1.json', 'spec_example_2.json'])(
    'finds nothing measured in %s of the specification',
    (name) => {
      interface Example {
        readonly timestamp: number;
        readonly metrics: { name: string; timestamp: number; dataType: string; value: boolean | string }[];
      }
      const { timestamp, metrics } = JSON.parse(fixture('sparkplug-b', name).toString()) as Example;
      const body = payload(
        metrics.map((each) => ({
          name: each.name,
          timestamp: each.timestamp,
          datatype: each.dataType === 'Boolean' ? 11 : 12,
          value: typeof each.value === 'boolean' ? int(14, Number(each.value)) : bytes(15, each.value),
        })),
        timestamp,
      );
      expect(decode(topic('NBIRTH'), body)).toMatchObject({
        outputs: [{ kind: 'status', ts: timestamp, state: 'online' }],
        refusals: [],
      });
      expect(decode(topic('NDATA'), body).ignored).toBe('no metric is one that Pantau measures');
    },
  );
});
describe('a gateway that has lost its sensor', () => {
  interface Property {
    readonly stringValue?: string;
    readonly intValue?: number;
  }
  interface Viewed {
    readonly timestamp: number;
    readonly metrics: readonly {
      readonly name?: string;
      readonly alias: number;
      readonly timestamp: number;
      readonly datatype?: number;
      readonly floatValue: number;
      readonly properties: Readonly<Record<'engUnit' | 'Quality', Property | undefined>>;
    }[];
  }
  const recorded = JSON.parse(fixture('sparkplug-b', 'quality-bad.json').toString()) as {
    readonly topic: string;
    readonly birth: Viewed & { readonly topic: string };
    readonly data: Viewed;
  };
  const encoded = ({ timestamp, metrics }: Viewed): Buffer =>
    payload(
      metrics.map(({ floatValue, properties: { engUnit, Quality }, ...metric }) => ({
        ...metric,
        ...defined({ unit: engUnit?.stringValue, quality: Quality?.intValue }),
        value: float(12, floatValue),
      })),
      timestamp,
    );

  it('has no value of it: the value that its Quality calls bad is refused', () => {
    const { birth, data } = recorded;
    const born = decode(birth.topic, encoded(birth));
    expect(born.outputs).toContainEqual(
      expect.objectContaining({ values: [{ parameter: 'pm25', value: 12.5, unit: 'ug/m3' }] }),
    );
    expect(decode(recorded.topic, encoded(data), born.memory)).toMatchObject({
      outputs: [],
      refusals: [{ reason: 'not_finite' }],
    });
  });
});
