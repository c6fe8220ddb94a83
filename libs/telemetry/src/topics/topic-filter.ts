/** Levels that a filter or topic may have; deeper ones only cost the matcher. */
export const MAX_TOPIC_LEVELS = 32;
/** UTF-8 bytes of a topic name or filter [MQTT-4.7.3-3]. */
const MAX_TOPIC_BYTES = 65_535;

/** Whether the text is a topic filter of MQTT 3.1.1 section 4.7: `#` only as the last level, `+` only as a whole one. */
export function isTopicFilter(text: string): boolean {
  if (text.length === 0 || text.includes('\u0000') || Buffer.byteLength(text) > MAX_TOPIC_BYTES) return false;
  const levels = text.split('/');
  return (
    levels.length <= MAX_TOPIC_LEVELS &&
    levels.every(
      (level, i) =>
        level === '+' ||
        (level === '#' && i === levels.length - 1) ||
        !(level.includes('+') || level.includes('#')),
    )
  );
}

/** Whether the filter matches the topic name. A filter that begins with a wildcard does not match `$…` [MQTT-4.7.2-1]. */
export function filterMatches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && (filter.startsWith('+') || filter.startsWith('#'))) return false;
  return covers(filter.split('/'), topic.split('/'));
}

/** Whether everything that `wanted` can match is matched by `granted` too: may whoever holds `granted` have `wanted`? */
export function filterCovers(granted: string, wanted: string): boolean {
  // "#" and "+/…" never match "$…", so they cannot grant a filter that names it.
  if (wanted.startsWith('$') && (granted.startsWith('+') || granted.startsWith('#'))) return false;
  return covers(granted.split('/'), wanted.split('/'));
}

function covers(granted: readonly string[], wanted: readonly string[]): boolean {
  for (let i = 0; i < granted.length; i++) {
    // "a/#" matches "a" too.
    if (granted[i] === '#') return true;
    if (i >= wanted.length || wanted[i] === '#') return false;
    if (granted[i] !== '+' && granted[i] !== wanted[i]) return false;
  }
  return granted.length === wanted.length;
}
