import { DirectBlocks } from '#libs/engine-lmdb';
import type { DirectBatch } from '#libs/journal';
import type { StoredForm } from '#libs/streams';
import { UPLINK_FORM, type Uplink } from '#libs/telemetry';
import fc from 'fast-check';
import { MAX_TEMPLATE_PAYLOAD_BYTES, UplinkTemplate } from './uplink-template.js';

const begin = (): DirectBatch<Uplink> =>
  new DirectBlocks(1, new Map([['uplink', UPLINK_FORM as StoredForm]]), async () => undefined).begin(
    'uplink',
  );

const message = fc.record({
  receivedAt: fc.integer({ min: 0, max: 4_102_444_800_000 }),
  messageId: fc.integer({ min: 1, max: 65_535 }),
  dup: fc.boolean(),
  payload: fc.uint8Array({ maxLength: 400 }),
});

describe('UplinkTemplate', () => {
  it('writes the entry that encoding the whole uplink would write', () => {
    fc.assert(
      fc.property(
        fc.record({
          site: fc.string(),
          device: fc.string(),
          topic: fc.string({ unit: 'grapheme', maxLength: 300 }),
          session: fc.string(),
          kind: fc.constantFrom<Uplink['kind'][]>('telemetry', 'foreign'),
        }),
        fc.array(message, { minLength: 1, maxLength: 8 }),
        fc.nat({ max: 50 }),
        (constants, messages, offset) => {
          const template = new UplinkTemplate(0, constants);
          const [direct, whole] = [begin(), begin()];
          for (const { payload, ...each } of messages) {
            const source = Buffer.concat([Buffer.alloc(offset, 'x'), payload, Buffer.from('y')]);
            const { receivedAt, messageId, dup } = each;
            template.write(direct, receivedAt, messageId, dup, source, offset, offset + payload.length);
            const data: Uplink = { ...constants, ...each, payload, qos: 1, will: false };
            whole.add({ key: constants.device, data });
          }
          expect(direct.entries()).toEqual(whole.entries());
          expect(direct.entries()).toHaveLength(messages.length);
        },
      ),
    );
  });

  it('holds the largest payload that its length can tell', () => {
    const template = new UplinkTemplate(0, {
      site: 'betung',
      device: 'udara-01',
      kind: 'telemetry',
      topic: 't',
      session: 's',
    });
    const payload = Buffer.alloc(MAX_TEMPLATE_PAYLOAD_BYTES, 7);
    const batch = begin();
    template.write(batch, 1, 1, false, payload, 0, payload.length);
    const [entry] = batch.entries();
    expect(Buffer.from(entry!.data.payload).equals(payload)).toBe(true);
  });
});
