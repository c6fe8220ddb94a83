import { DAY, HOUR } from '#libs/kernel';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  listScenarios,
  parseScenario,
  readScenarioFile,
  scenarioJsonSchema,
  scenarioOf,
} from './scenario.js';
import { dueMessages, powerEdges } from './timeline.js';
import { Exceedances, truthBefore, truthJsonSchema, truthOfMessage, truthSchema } from './truth.js';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const DOCS = join(import.meta.dirname, '..', '..', '..', 'docs', 'schema');
const SCALE = 0.001;
const MINIMAL = `title: { id: a, en: a }
rehearses: { id: a, en: a }
seed: 1
span: 1d
fleet:
  sites: [{ id: betung, name: Betung, latitude: -2.8, longitude: 104.2 }]
  stations: [{ id: udara, site: betung }]
  cameras: [{ id: kamera, site: betung, count: 2 }]
`;

function statedIn(payload: string): Record<string, number> {
  return (JSON.parse(payload) as { values: Record<string, number> }).values;
}

/** Every byte that a run of the scenario would publish and write down. */
function bytesOf(name: string, seed?: number): string {
  const scenario = scenarioOf({ name, file: readScenarioFile(name).file, now: NOW, scale: SCALE, seed });
  const lines = [...truthBefore(scenario)].map((record) => JSON.stringify(record));
  for (const { device, message } of dueMessages(scenario))
    lines.push(device.id, message.payload, JSON.stringify(truthOfMessage(device, message)));
  return lines.join('\n');
}

describe.each(listScenarios().map(({ name }) => name))('the scenario %s', (name) => {
  it('gives the same messages and the same truth for the same seed, and others for another', () => {
    const bytes = bytesOf(name);
    expect(bytesOf(name)).toBe(bytes);
    expect(bytesOf(name, 77)).not.toBe(bytes);
  });

  it('delivers in order of time, nothing before it was measured, and states a truth that fits its schema', () => {
    const scenario = scenarioOf({ name, file: readScenarioFile(name).file, now: NOW, scale: SCALE });
    for (const record of truthBefore(scenario)) truthSchema.parse(record);
    let last = -Infinity;
    let checked = 0;
    for (const { device, message } of dueMessages(scenario)) {
      expect(message.deliverAt).toBeGreaterThanOrEqual(last);
      expect(message.deliverAt).toBeGreaterThanOrEqual(message.at);
      if (checked++ < 50) truthSchema.parse(truthOfMessage(device, message));
      last = message.deliverAt;
    }
    expect(checked).toBeGreaterThan(0);
  });
});

describe('a scenario that cannot be', () => {
  it.each([
    [
      'faults: [{ kind: stuck, device: nobody, parameter: pm25 }]',
      /a\.yaml:9: faults\.0\.device: there is no device "nobody"/,
    ],
    ['faults: [{ kind: frozen, device: udara }]', /a\.yaml:9: faults\.0\.kind: frozen is a fault of cameras/],
    [
      'faults: [{ kind: stuck, device: kamera, parameter: pm25 }]',
      /stuck is a fault of stations, and "kamera" is a camera/,
    ],
    ['faults: [{ kind: power }]', /a\.yaml:9: faults\.0: name the device, the site or the model/],
    ['faults: [{ kind: power, site: betung, from: 30h }]', /faults\.0\.from: it goes beyond the span/],
    ['faults: [{ kind: power, site: betung, for: -5m }]', /faults\.0\.for: expected a duration/],
    ['faults: [{ kind: outage, device: udara }]', /outage is a fault of services, and "udara" is a station/],
    [
      'expect: { notYet: [{ kind: bin, says: { id: a, en: a } }] }',
      /a\.yaml:9: expect\.notYet\.0\.kind: the fleet has no bin/,
    ],
    ['links: [{ site: nowhere }]', /a\.yaml:9: links\.0\.site: there is no site "nowhere"/],
    ['wether: {}', /a\.yaml:9: .*wether/],
    [
      'expect: { flags: [{ fault: stuck, recall: 0.5 }] }',
      /expect\.flags\.0\.fault: the scenario has no fault of the kind "stuck"/,
    ],
  ])('is refused with file, line and remedy: %s', (line, expected) => {
    expect(() => parseScenario('a.yaml', `${MINIMAL}${line}\n`)).toThrow(expected);
  });

  it('is refused when it does not say what Pantau cannot do with a device yet', () => {
    const bin = '  programmes: [{ id: bak, site: betung, kind: bin }]\n';
    expect(() => parseScenario('a.yaml', `${MINIMAL}${bin}`)).toThrow(
      /fleet\.programmes\.0\.kind: say under expect\.notYet what Pantau cannot do with a bin yet/,
    );
  });

  it('names what there is when there is no such scenario', () => {
    expect(() => readScenarioFile('nowhere')).toThrow(/pantau simulate --list/);
  });
});

describe('a scenario', () => {
  const scenario = (more: string): ReturnType<typeof scenarioOf> =>
    scenarioOf({ name: 'a', file: parseScenario('a.yaml', `${MINIMAL}${more}\n`), now: NOW });

  it('ends now when it names no start', () => {
    expect(scenario('').to).toBe(NOW);
  });

  it.each(listScenarios().filter(({ file }) => file.start !== undefined))(
    '$name, moved to now, is what it is at its own time, and goes on',
    ({ name, file }) => {
      // The longest way from its end to now.
      const end = Date.parse(file.start ?? '') + file.span;
      const now = end + 1_000 * DAY - 1;
      const moved = scenarioOf({ name, file, now, goOn: 5_000, scale: SCALE });
      expect(moved.to).toBe(now + 5_000);
      const told = (scenario: ReturnType<typeof scenarioOf>, until: number): string =>
        scenario.devices
          .slice(0, 4)
          .flatMap((device) =>
            Array.from(device.messages())
              .filter(({ at }) => at - scenario.from < until)
              .map(({ at, truth, faults }) => JSON.stringify([device.id, at - scenario.from, truth, faults])),
          )
          .join('\n');
      const own = scenarioOf({ name, file, now, scale: SCALE });
      // A fault without an end lasts to the end of the run.
      const until = file.span - HOUR;
      expect(told(moved, until) === told(own, until)).toBe(true);
    },
  );

  it('has nothing to fire about in a quiet week that goes on, at any hour of the day', () => {
    const { file } = readScenarioFile('quiet-week');
    for (const hour of [0, 6, 12, 18, 23]) {
      const scenario = scenarioOf({ name: 'quiet-week', file, now: NOW + hour * HOUR, goOn: 5_000 });
      const stated = new Exceedances(file.expect.alerts);
      const stations = scenario.devices.filter(({ kind }) => kind === 'air');
      const found = Array.from(dueMessages({ devices: stations })).flatMap(({ device, message }) =>
        stated.add(device.id, message.at, statedIn(message.payload)),
      );
      expect([hour, ...found, ...stated.end()]).toEqual([hour]);
    }
  });

  it('turns the power of a device off once for cuts that overlap', () => {
    const edges = powerEdges(
      scenario(
        'faults: [{ kind: power, site: betung, from: 2h, for: 2h }, { kind: reboot, device: udara, from: 3h, for: 3h }]',
      ),
    ).filter(({ device }) => device === 'udara');
    expect(edges.map(({ kind, at }) => [kind, (at - (NOW - 86_400_000)) / 3_600_000])).toEqual([
      ['power-off', 2],
      ['power-on', 6],
    ]);
  });

  it('knows a group by its name, and each of it by its own', () => {
    const { devices } = scenario(
      'faults: [{ kind: black, device: kamera }, { kind: frozen, device: kamera-2 }]',
    );
    expect(devices.map(({ id, faults }) => [id, faults.map(({ kind }) => kind)])).toEqual([
      ['udara', []],
      ['kamera-1', ['black']],
      ['kamera-2', ['black', 'frozen']],
    ]);
  });
});

describe('an exceedance', () => {
  const level = {
    rule: 'r',
    parameter: 'pm25',
    raise: 100,
    clear: 80,
    for: 60_000,
    atLeast: 0,
    missing: 0,
    extra: 0,
  } as const;
  const found = (values: readonly number[]): unknown[] => {
    const exceedances = new Exceedances([level]);
    return [...values.flatMap((pm25, i) => exceedances.add('d', i * 30_000, { pm25 })), ...exceedances.end()];
  };

  it('lasts while the value stays above the lower level, and counts when it lasts as long as the rule asks', () => {
    expect(found([50, 100, 90, 79])).toMatchObject([
      { from: '1970-01-01T00:00:30.000Z', to: '1970-01-01T00:01:30.000Z' },
    ]);
    expect(found([50, 100, 79, 100, 79])).toEqual([]);
    expect(found([100, 100, 100])).toHaveLength(1);
  });
});

describe('docs/schema', () => {
  it.each([
    ['scenario', scenarioJsonSchema()],
    ['truth', truthJsonSchema()],
  ])('shows the %s schema as it is checked (npm run docs:schema writes it)', (name, schema) => {
    const written: unknown = JSON.parse(readFileSync(join(DOCS, `${name}.schema.json`), 'utf8'));
    expect(written).toEqual(JSON.parse(JSON.stringify(schema)));
  });
});
