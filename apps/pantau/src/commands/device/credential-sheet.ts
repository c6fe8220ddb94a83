import { escapeMarkup } from '#libs/kernel';
import type { Device } from '#libs/identity';
import { formatTopic } from '#libs/telemetry';

/**
 * A page to print and cut: one card for each device with what an installer types into it. Plain HTML without anything
 * from elsewhere.
 */
export function credentialSheet(
  devices: readonly { readonly device: Device; readonly password: string }[],
  { broker, madeAt }: { readonly broker: string; readonly madeAt: string },
): string {
  const cards = devices.map(({ device: { id, site, name, kind }, password }) => {
    const topic = formatTopic({ site, device: id, kind: kind === 'camera' ? 'heartbeat' : 'telemetry' });
    const rows = [
      ['Nama pengguna, id klien / user name, client id', id],
      ['Kata sandi / password', password],
      ['Topik / topic', topic],
      ['Broker', broker],
    ];
    const list = rows
      .map(([label = '', value = '']) => `<dt>${escapeMarkup(label)}</dt><dd>${escapeMarkup(value)}</dd>`)
      .join('');
    return `<section><h2>${escapeMarkup(name)}</h2><p>${escapeMarkup(site)}</p><dl>${list}</dl></section>`;
  });
  return `<!doctype html>
<html lang="id">
<meta charset="utf-8">
<title>Pantau: kata sandi perangkat / device credentials</title>
<style>
  @page { size: A4; margin: 12mm }
  body { font: 10pt/1.35 system-ui, sans-serif; margin: 0; display: grid; grid-template-columns: 1fr 1fr; gap: 4mm }
  header { grid-column: 1 / -1 }
  h1 { font-size: 13pt; margin: 0 }
  section { border: 1px dashed #777; padding: 3mm 4mm; break-inside: avoid }
  h2 { font-size: 11pt; margin: 0 }
  p { margin: 0 0 1mm; color: #444 }
  dl { margin: 0 }
  dt { font-size: 8pt; color: #444 }
  dd { margin: 0 0 1mm; font: 10pt ui-monospace, monospace; overflow-wrap: anywhere }
</style>
<header>
  <h1>Pantau: kata sandi perangkat / device credentials</h1>
  <p>${escapeMarkup(madeAt)}. Rahasia: simpan terkunci, musnahkan setelah dipasang. / Secret: keep locked, destroy after installation.</p>
</header>
${cards.join('\n')}
</html>
`;
}
