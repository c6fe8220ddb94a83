import { isObject } from '#libs/kernel';
import {
  readJson,
  type Codec,
  type CodecInput,
  type CodecResult,
  type MeasuredParameter,
} from '#libs/telemetry';
import {
  Gathered,
  ignored,
  readNumber,
  refusal,
  refused,
  resultOf,
  shown,
  type Members,
} from '../reading.js';
import { unitOfWord } from '../stated-units.js';
import { unreadNumbers } from '../unread.js';

/**
 * MQTT Statestream of Home Assistant with `publish_attributes`: `{base}/sensor/{entity}/state` and one topic for each
 * attribute. What a number means stands in other messages than the number, so they are remembered.
 *
 * Source: Home Assistant documentation, "MQTT Statestream" and "Sensor entity". No message states its time: arrival counts.
 */
export const codec: Codec = { name: 'home-assistant', version: 2, names: 'quantities', decode };

const CLASSES: ReadonlyMap<string, MeasuredParameter> = new Map([
  ['pm25', 'pm25'],
  ['pm10', 'pm10'],
  ['sulphur_dioxide', 'so2'],
  ['nitrogen_dioxide', 'no2'],
  ['carbon_monoxide', 'co'],
  ['ozone', 'o3'],
  ['temperature', 'temperature'],
  ['humidity', 'humidity'],
] as const);

/** More entities than a house has; bounds what is remembered of a hostile one. */
const MAX_ENTITIES = 500;
const WORDS_WITHOUT_VALUE: ReadonlySet<string> = new Set(['unavailable', 'unknown', 'None', '']);

/** Attributes that say how an entity is shown and set. */
const OF_THE_ENTITY = /^(?:min|max|step|precision|order|supported_\w+|suggested_\w+)$/;

/** What is known of an entity. */
interface Entity {
  readonly class?: string;
  readonly unit?: string;
  /** A state that came before both were known. */
  readonly waiting?: string;
}

function decode({ topic, payload, memory }: CodecInput): CodecResult {
  const [entity = '', attribute = ''] = topic.split('/').slice(-2);
  const text = new TextDecoder().decode(payload).trim().slice(0, 200);
  const entities = isObject(memory) && isObject(memory['entities']) ? memory['entities'] : {};
  const known = entityOf(entities, entity);
  const json = readJson(payload);
  switch (attribute) {
    case 'state':
      return stateOf(entity, text, known, entities);
    case 'device_class':
      return learnt(entity, { ...known, class: unquoted(text) }, entities);
    case 'unit_of_measurement':
      return learnt(entity, { ...known, unit: unquoted(text) }, entities);
    default:
      return ignored(
        'an attribute that says nothing of the value',
        unreadNumbers({ [entity]: { [attribute]: 'value' in json ? json.value : text } }, '', OF_THE_ENTITY),
      );
  }
}

function stateOf(name: string, text: string, known: Entity, entities: Members): CodecResult {
  if (known.class !== undefined && known.unit !== undefined) return measured(name, text, known);
  // Attributes follow the state; where none followed the state before, none will follow this one.
  if (known.waiting === undefined) return remembered(name, { ...known, waiting: text }, entities);
  return refused(
    refusal(
      'unknown_unit',
      name,
      'expected device_class and unit_of_measurement; set publish_attributes: true, and map their topics',
    ),
  );
}

/** What follows from an attribute: the value that waited for it. */
function learnt(name: string, entity: Entity, entities: Members): CodecResult {
  const { waiting, ...known } = entity;
  if (waiting === undefined || known.class === undefined || known.unit === undefined)
    return remembered(name, entity, entities);
  return { ...measured(name, waiting, known), ...memoryWith(name, known, entities) };
}

function measured(name: string, text: string, { class: deviceClass = '', unit = '' }: Entity): CodecResult {
  const parameter = CLASSES.get(deviceClass);
  if (parameter === undefined) {
    const unread = 'value' in readNumber(name, text, 'text') ? unreadNumbers({ [deviceClass]: 1 }) : [];
    return resultOf([], [], `${deviceClass.slice(0, 40)} is no parameter`, unread);
  }
  if (WORDS_WITHOUT_VALUE.has(text))
    return refused(
      refusal('not_finite', name, `expected a measured value, found ${shown(text)}: no value now`),
    );
  const gathered = new Gathered('text');
  gathered.measure(
    name,
    text,
    parameter,
    unitOfWord(unit),
    `found ${shown(unit)}; change the unit of the entity`,
    { sensor: name },
  );
  return resultOf(gathered.telemetry(undefined, name.slice(0, 200)), gathered.refusals, 'no value', []);
}

function remembered(name: string, entity: Entity, entities: Members): CodecResult {
  return { ...ignored('kept until class, unit and value are known'), ...memoryWith(name, entity, entities) };
}

function memoryWith(name: string, entity: Entity, entities: Members): Pick<CodecResult, 'memory'> {
  const others = Object.entries(entities).filter(([other]) => other !== name);
  return {
    memory: {
      entities: Object.fromEntries([...others.slice(1 - MAX_ENTITIES), [name.slice(0, 200), entity]]),
    },
  };
}

function entityOf(entities: Members, name: string): Entity {
  const found = Object.hasOwn(entities, name) ? entities[name] : undefined;
  if (!isObject(found)) return {};
  const { class: deviceClass, unit, waiting } = found;
  return {
    ...(typeof deviceClass === 'string' ? { class: deviceClass } : {}),
    ...(typeof unit === 'string' ? { unit } : {}),
    ...(typeof waiting === 'string' ? { waiting } : {}),
  };
}

/** Attributes are JSON, states are not. */
function unquoted(text: string): string {
  return /^".*"$/.test(text) ? text.slice(1, -1) : text;
}
