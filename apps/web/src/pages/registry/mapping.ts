/**
 * The lines of `pantau.yaml` that let a topic be read as of a device.
 *
 * @param name - what the topic calls the device, where a mapping has found that already; otherwise its last level but one
 */
export function mappingLines(topic: string, name: string | undefined, device: string): string {
  const levels = topic.split('/');
  const at =
    name === undefined
      ? Math.max(0, levels.length - 2)
      : levels.findIndex((one) => one.toLowerCase() === name);
  const called = name ?? levels[at] ?? '';
  const pattern = levels.map((level, i) => (i === at ? '{device}' : level)).join('/');
  return [
    'mappings:',
    `  - pattern: ${quoted(pattern)}`,
    '    codec: …',
    `    aliases: { ${quoted(called.toLowerCase())}: ${quoted(device)} }`,
  ].join('\n');
}

/** As YAML takes it; plain where that means the same. */
const quoted = (text: string): string =>
  /^[\p{L}\p{N}][\p{L}\p{N}/_{}.-]*$/u.test(text) ? text : JSON.stringify(text);
