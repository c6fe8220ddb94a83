import { describeCodecContract, fixture, message } from '../codec.contract.js';
import { codec } from './index.js';

const CURRENT = fixture('airgradient', 'current_measures.json');
const AFTER_BOOT = fixture('airgradient', 'measures_after_boot.json');

describeCodecContract(codec, {
  inputs: [{ topic: 'airgradient/readings/84fce612f5b8', parts: { device: '84fce612f5b8' } }, {}],
  samples: [CURRENT, AFTER_BOOT],
});

describe('airgradient', () => {
  it('reads pm02 as PM2.5, and the raw values rather than the compensated ones', () => {
    expect(codec.decode(message(CURRENT))).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: undefined,
          values: [
            { parameter: 'pm25', value: 34, unit: 'ug/m3' },
            { parameter: 'pm10', value: 41, unit: 'ug/m3' },
            { parameter: 'temperature', value: 23.1, unit: 'degC' },
            { parameter: 'humidity', value: 32, unit: '%' },
          ],
        },
      ],
      refusals: [],
      unread: [
        'rco2',
        'pm01',
        'pm003Count',
        'tvocIndex',
        'tvocRaw',
        'noxIndex',
        'noxRaw',
        'atmpCompensated',
        'rhumCompensated',
      ],
    });
  });

  it('takes a message after a start, without any measurement, for what it is: absent is not zero', () => {
    expect(codec.decode(message(AFTER_BOOT))).toEqual({
      outputs: [],
      refusals: [],
      ignored: 'no value of the air in the message, as after a start of the device',
    });
  });

  it('does not take a compensated value or a count for a raw value that is absent', () => {
    expect(
      codec.decode(
        message({ pm02Compensated: 12, pm003Count: 270, pm02Count: 3, rhumCompensated: 40, rco2: 600 }),
      ),
    ).toMatchObject({ outputs: [], refusals: [{ reason: 'unknown_parameter' }] });
  });

  it('keeps a real zero', () => {
    expect(codec.decode(message({ pm02: 0 })).outputs).toMatchObject([{ values: [{ value: 0 }] }]);
  });

  it.each([
    ['pm02', -1],
    ['pm10', -1],
    ['rhum', -1],
    ['atmp', -1000],
    ['atmp', -1001],
  ])('refuses %s %d of older firmware, which stands for no value', (name, sentinel) => {
    expect(codec.decode(message({ [name]: sentinel }))).toEqual({
      outputs: [],
      refusals: [
        {
          reason: 'not_finite',
          detail: `${name}: expected a measured value, found ${sentinel}, which stands for a sensor that does not answer; check its cable`,
        },
      ],
    });
  });

  it('takes -1 °C for a temperature', () => {
    expect(codec.decode(message({ atmp: -1 })).outputs).toMatchObject([{ values: [{ value: -1 }] }]);
  });

  it('refuses a number in quotes and keeps the others', () => {
    expect(codec.decode(message({ pm02: '34', pm10: 41 }))).toEqual({
      outputs: [
        { kind: 'telemetry', ts: undefined, values: [{ parameter: 'pm10', value: 41, unit: 'ug/m3' }] },
      ],
      refusals: [{ reason: 'number_as_text', detail: 'pm02: expected a finite number, found the text "34"' }],
    });
  });
});
