import { ENVIRONMENT_VARIABLES, type LoadedConfig } from '#libs/platform';
import { bridgeOptions, brokerOptions } from '../configuration/broker-options.js';
import type { Engines } from '../storage/engines.js';
import { httpIntakeOptions } from '../configuration/http-intake-options.js';
import { assertShown, at, differences, merged, withFiles } from './keys.fixture.js';
import { MQTT } from './mqtt-keys.fixture.js';

/** What the broker, the bridge and the intake over HTTP are told of the section, with file names as they stand in it. */
async function optionsOf(config: LoadedConfig): Promise<object> {
  const { bridge } = config.mqtt;
  const intake = await httpIntakeOptions(config, {} as Engines, () => undefined);
  const { maxPayloadBytes, authFailures, messagesPerDevice } = intake;
  // Other topics are of the section `mappings`.
  const mappings = undefined;
  return {
    broker: { ...brokerOptions(config), mappings },
    bridge: bridge === undefined ? {} : { ...bridgeOptions(bridge, config), mappings },
    intake: { maxPayloadBytes, authFailures, messagesPerDevice },
  };
}

describe('each key of the section mqtt', () => {
  it.each(Object.entries(MQTT))('arrives where its effect is shown: %s', async (key, arrival) => {
    const { value, beside = {}, options, shownBy } = arrival;
    assertShown(shownBy);
    const before = await withFiles({ pantau: beside }, optionsOf);
    const after = await withFiles({ pantau: merged(beside, at(key, value)) }, optionsOf);
    expect(differences(before, after)).toEqual(options);
  });
});

describe('each environment variable of the section mqtt', () => {
  const variables = Object.entries(ENVIRONMENT_VARIABLES).filter(([, key]) => key.startsWith('mqtt.'));

  it.each(variables)('arrives where its key does: %s, %s', async (name, key) => {
    const { value, beside = {}, options } = MQTT[key]!;
    const before = await withFiles({ pantau: beside }, optionsOf);
    const after = await withFiles({ pantau: beside }, optionsOf, { [name]: String(value) });
    expect(differences(before, after)).toEqual(options);
  });
});
