import { idsOf, KIND_WORDS, kindsOf, listOf, type SimulatedKind } from './befall.js';
import { scenarioSchema, type ScenarioFile } from './schema.js';

/** Everybody of a fleet, with the kind and the place in the file. */
function* entriesOf({ stations, cameras, programmes }: ScenarioFile['fleet']) {
  for (const [i, entry] of stations.entries())
    yield { path: ['fleet', 'stations', i], entry: { ...entry, kind: 'air' as const } };
  for (const [i, entry] of cameras.entries())
    yield { path: ['fleet', 'cameras', i], entry: { ...entry, kind: 'camera' as const } };
  for (const [i, entry] of programmes.entries()) yield { path: ['fleet', 'programmes', i], entry };
}

/** What the parts of a scenario say of each other. */
export const checkedSchema = scenarioSchema.check((context) => {
  const { fleet, faults, links, episodes, sources, span, expect } = context.value;
  const problem = (path: readonly (string | number)[], message: string): void =>
    void context.issues.push({ code: 'custom', path: [...path], message, input: context.value });
  const sites = new Set(fleet.sites.map(({ id }) => id));
  // A group of several is known by its own name too.
  const devices = new Map<string, SimulatedKind>();
  for (const { path, entry } of entriesOf(fleet)) {
    if (!sites.has(entry.site))
      problem([...path, 'site'], `there is no site "${entry.site}"; sites: ${[...sites].join(', ')}`);
    for (const id of idsOf(entry)) {
      if (devices.has(id)) problem([...path, 'id'], `there are two devices "${id}"`);
      devices.set(id, entry.kind);
    }
    devices.set(entry.id, entry.kind);
  }
  for (const [list, entries] of Object.entries({ faults, links, episodes, sources }))
    for (const [i, entry] of entries.entries())
      if (entry.from + (entry.for ?? 0) > span || entry.from >= span)
        problem(
          [list, i, 'from'],
          'it goes beyond the span of the scenario; shorten it or make the span longer',
        );
  for (const [i, entry] of faults.entries()) {
    const path = ['faults', i];
    for (const id of listOf(entry.device)) {
      const kind = devices.get(id);
      if (kind === undefined)
        problem([...path, 'device'], `there is no device "${id}" in the fleet; name one that is, or add it`);
      else if (!kindsOf(entry.kind).includes(kind))
        problem(
          [...path, 'kind'],
          `${entry.kind} is a fault of ${KIND_WORDS[kindsOf(entry.kind)[0] ?? 'air']}s, and "${id}" is a ${KIND_WORDS[kind]}`,
        );
    }
    for (const site of listOf(entry.site))
      if (!sites.has(site)) problem([...path, 'site'], `there is no site "${site}"`);
    if (entry.device === undefined && entry.site === undefined && entry.model === undefined)
      problem(path, 'name the device, the site or the model that it befalls');
  }
  for (const [i, { site }] of links.entries())
    if (!sites.has(site)) problem(['links', i, 'site'], `there is no site "${site}"`);
  const kinds = new Set<string>(faults.map(({ kind }) => kind));
  for (const [i, { fault }] of expect.flags.entries())
    if (!kinds.has(fault))
      problem(['expect', 'flags', i, 'fault'], `the scenario has no fault of the kind "${fault}"`);
  const said = new Set(expect.notYet.map(({ kind }) => kind));
  for (const [i, { kind }] of expect.notYet.entries())
    if (!fleet.programmes.some((entry) => entry.kind === kind))
      problem(['expect', 'notYet', i, 'kind'], `the fleet has no ${kind}`);
  for (const [i, { kind }] of fleet.programmes.entries())
    if (!said.has(kind))
      problem(
        ['fleet', 'programmes', i, 'kind'],
        `say under expect.notYet what Pantau cannot do with a ${kind} yet`,
      );
});
