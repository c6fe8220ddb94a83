import { publishLine } from './publish-line';

const DEVICE = {
  id: 'udara-09',
  site: 'betung',
  kind: 'air',
  password: "a'b c",
  host: '10.0.0.1',
  port: '1883',
} as const;

describe('the line that sends a first message', () => {
  it('names everything, and quotes what a shell would read as something else', () => {
    expect(publishLine(DEVICE)).toBe(
      `mosquitto_pub -h 10.0.0.1 -p 1883 -i udara-09 -u udara-09 -P 'a'\\''b c' -q 1 ` +
        String.raw`-t pantau/v1/betung/udara-09/telemetry -m "{\"ts\":\"$(date -u +%FT%TZ)\",\"values\":{\"pm25\":12.5}}"`,
    );
  });

  it('looks at the certificate of a port behind TLS', () => {
    const line = publishLine({ ...DEVICE, port: '8883', isSecure: true });
    expect(line).toContain('-p 8883');
    expect(line).toContain(' --tls-use-os-certs -q 1');
  });

  it('is a heartbeat of a camera', () => {
    expect(publishLine({ ...DEVICE, kind: 'camera' })).toContain(String.raw`\"state\":\"up\"}"`);
  });
});
