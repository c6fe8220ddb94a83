/**
 * What the page costs a browser: script of the first load, time until the overview is of use with many devices and readings behind it (also with
 * the processor slowed down four times), the longest frame while a chart of 100,000 readings is zoomed, and the memory of a tab in which live data
 * arrive. Needs Chromium.
 *
 * usage: npm run bench:page [-- readings devices minutes messages]
 * A short run: npm run bench:page -- 200000 1000 1
 */
import { chromium } from 'playwright-core';
import { mkdirSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  answer,
  bench,
  caughtUp,
  fillStore,
  plantHours,
  quantile,
  shown,
  startClients,
  startPantau,
  withState,
} from './bench.mjs';

const [readings = 2_000_000, devices = 1_000, minutes = 60, perSecond = 20] = process.argv
  .slice(2)
  .map(Number);
const CHART = 100_000;
const SCRIPT_AIM = 120_000;
const USABLE_AIM_MS = 2_000;
const FRAME_AIM_MS = 50;
const SLOWER = 4;
const NAME = 'ani';
const PASSWORD = 'tujuh kuda di rawa';
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const SITES = 20;

const now = Date.now();
const probe = 'grafik-01';
const ids = Array.from({ length: devices - 1 }, (_, i) => `udara-${String(i).padStart(4, '0')}`);
const last = ids.at(-1);
const siteOf = (i) => `lokasi-${i % SITES}`;

await bench(async (folder) => {
  console.log(`${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)}`);
  const data = join(folder, 'data');
  mkdirSync(data, { recursive: true });
  const file = join(data, 'readings.duckdb');
  const startedAt = performance.now();
  await fillStore(file, { ids, readings: Math.max(ids.length, readings - CHART), until: now, days: 30 });
  await fillStore(file, { ids: [probe], readings: CHART, until: now, days: 30 });
  await registerSites(join(data, 'journal'));
  const pantau = await startPantau(folder, {
    // All devices come from one address here.
    mqtt: {
      limits: {
        connectionsPerAddress: devices + 100,
        connectsPerAddress: { perSecond: 1_000, burst: devices },
      },
    },
    devices: [
      ...ids.map((id, i) => ({ id, site: siteOf(i), name: `Udara ${id.slice(-4)}`, intervalMs: MINUTE })),
      { id: probe, site: siteOf(ids.length), name: 'Grafik', intervalMs: Math.floor((30 * DAY) / CHART) },
    ],
  });
  await plant(join(data, 'journal'));
  const { mqttPort: port, httpPort, metricsPort, tokens } = pantau;
  const publishers = startClients('api/clients.mjs', {
    ...{
      role: 'devices',
      port,
      perSecond: 500,
      sites: Object.fromEntries([...ids, probe].map((id, i) => [id, siteOf(i)])),
    },
    tokens,
  });
  await answer(publishers);
  // Each is heard once.
  await answer(publishers, { seconds: Math.ceil(devices / 500) });
  await caughtUp(metricsPort);
  console.log(
    `${shown(readings)} readings of ${shown(devices)} devices in ${shown((performance.now() - startedAt) / 1_000)} s`,
  );
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  try {
    const address = `http://127.0.0.1:${httpPort}`;
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'id-ID' });
    await signIn(await context.newPage(), address);
    await firstLoad(context, address);
    for (const slower of [1, SLOWER]) await usable(context, address, slower);
    await zoomed(context, address);
    await memory(context, address, publishers);
  } finally {
    await browser.close();
  }
});

async function registerSites(path) {
  await withState(path, async (state, { Registry }) => {
    const registry = new Registry(state);
    for (let i = 0; i < SITES; i++)
      await registry.putSite({
        ...{ id: siteOf(i), name: `Lokasi ${i}`, district: 'Betung' },
        ...{ latitude: -2.5 - (i % 5) / 10, longitude: 104.2 + Math.floor(i / 5) / 5 },
      });
  });
}

/** Somebody who may sign in, and for every station the hours that an index needs. */
async function plant(path) {
  await withState(path, async (state, { Users }) => {
    await plantHours(state, ids, now);
    const users = new Users(state, { now: Date.now });
    await users.useLink(await users.setupLink(), PASSWORD, NAME);
  });
}

async function signIn(page, address) {
  await page.goto(address);
  await page.getByLabel('Nama pengguna').fill(NAME);
  await page.getByLabel('Kata sandi').fill(PASSWORD);
  await page.getByRole('button', { name: 'Masuk', exact: true }).click();
  await page.getByRole('heading', { name: 'Ikhtisar' }).waitFor();
  await page.close();
}

/** Bytes of scripts and styles as they come over the wire, with nothing kept of before. */
async function firstLoad(context, address) {
  const page = await context.newPage();
  const client = await context.newCDPSession(page);
  await client.send('Network.enable');
  await client.send('Network.setCacheDisabled', { cacheDisabled: true });
  const types = new Map();
  const bytes = { Script: 0, Stylesheet: 0 };
  client.on('Network.responseReceived', ({ requestId, type }) => types.set(requestId, type));
  client.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const type = types.get(requestId);
    if (type in bytes) bytes[type] += encodedDataLength;
  });
  await page.goto(address);
  await page.locator('.sites a').first().waitFor();
  await page.close();
  console.log(
    `first load of the overview: ${shown(bytes.Script)} bytes of script, ${shown(bytes.Stylesheet)} of styles, compressed${aim(bytes.Script, SCRIPT_AIM)}`,
  );
}

/** From the address to a list that is there: of the overview and of the registry; and from Ctrl+K to the device that is looked for. */
async function usable(context, address, slower) {
  const times = [];
  const searches = [];
  const registered = [];
  for (let round = 0; round < 3; round++) {
    const page = await listed(context, address, '.sites a', slower, times);
    const askedAt = performance.now();
    await page.keyboard.press('Control+k');
    await page.keyboard.type(last);
    await page.getByRole('option', { name: new RegExp(last) }).waitFor();
    searches.push(performance.now() - askedAt);
    await page.close();
    await (await listed(context, `${address}/registry`, 'tbody a', slower, registered)).close();
  }
  const [list, search, registry] = [times, searches, registered].map((one) => quantile(one, 0.5));
  const where = `${shown(devices)} devices${slower === 1 ? '' : `, processor ${slower} times slower`}`;
  console.log(
    `overview with ${where}: list after ${shown(list)} ms${aim(list, USABLE_AIM_MS)}, found by search after ${shown(search)} ms${aim(search, USABLE_AIM_MS)}`,
  );
  console.log(`registry with ${where}: list after ${shown(registry)} ms${aim(registry, USABLE_AIM_MS)}`);
}

/** A page whose list is there; adds to `times` when that was. */
async function listed(context, address, entry, slower, times) {
  const page = await context.newPage();
  const client = await context.newCDPSession(page);
  await client.send('Emulation.setCPUThrottlingRate', { rate: slower });
  await page.addInitScript(`
    new MutationObserver((_, observer) => {
      if (document.querySelector('${entry}') === null) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => (document.documentElement.dataset.usableAt = performance.now())));
    }).observe(document, { childList: true, subtree: true });
  `);
  await page.goto(address);
  await page.locator('html[data-usable-at]').waitFor({ timeout: 60_000 });
  times.push(Number(await page.locator('html').getAttribute('data-usable-at')));
  return page;
}

/** Frames and long tasks while somebody zooms into a month of a device and out again. */
async function zoomed(context, address) {
  const page = await context.newPage();
  const startedAt = performance.now();
  await page.goto(`${address}/perangkat/${probe}?rentang=30h`);
  const chart = page.getByRole('img', { name: /Grafik/ });
  await page.getByText(/dari \d+\.\d{3} pembacaan/).waitFor();
  const shownAfter = performance.now() - startedAt;
  await chart.hover();
  await page.evaluate(`
    window.frames_ = []; window.tasks = [];
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });
    let before = performance.now();
    const frame = (at) => { frames_.push(at - before); before = at; requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
  `);
  await page.keyboard.down('Control');
  for (const by of [-100, 100])
    for (let step = 0; step < 20; step++) {
      await page.mouse.wheel(0, by);
      await delay(step % 5 === 4 ? 600 : 30);
    }
  await page.keyboard.up('Control');
  const { frames, tasks } = await page.evaluate('({ frames: frames_.slice(2), tasks })');
  await page.close();
  const longest = Math.max(...frames);
  console.log(
    `chart of ${shown(CHART)} readings: shown after ${shown(shownAfter)} ms; zoomed 40 steps: frames p50 ${quantile(frames, 0.5).toFixed(1)} ms, p99 ${quantile(frames, 0.99).toFixed(1)} ms, longest ${longest.toFixed(1)} ms${aim(longest, FRAME_AIM_MS)}; ${tasks.length} tasks over ${FRAME_AIM_MS} ms${tasks.length === 0 ? '' : `, longest ${Math.max(...tasks).toFixed(0)} ms`}`,
  );
}

/** What the heap of a tab holds after a collection, while devices publish. */
async function memory(context, address, publishers) {
  const page = await context.newPage();
  const client = await context.newCDPSession(page);
  const heap = async () => {
    await client.send('HeapProfiler.collectGarbage');
    return (await client.send('Runtime.getHeapUsage')).usedSize / 2 ** 20;
  };
  await page.goto(address);
  await page.locator('.sites a').first().waitFor();
  // What is shown once stays; growth is what comes after.
  await answer(publishers, { seconds: 15, perSecond });
  const heaps = [await heap()];
  for (let minute = 0; minute < minutes; minute++) {
    await answer(publishers, { seconds: 60, perSecond });
    heaps.push(await heap());
  }
  await page.close();
  console.log(
    `tab with live data, ${perSecond} messages/s for ${minutes} minutes: heap ${heaps[0].toFixed(1)} MiB at first, ${heaps.at(-1).toFixed(1)} MiB at last, at most ${Math.max(...heaps).toFixed(1)} MiB`,
  );
}

function aim(figure, most) {
  return figure > most ? ` (beyond ${shown(most)})` : '';
}
