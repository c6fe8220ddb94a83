/** What the line is made of. */
interface Publishing {
  readonly id: string;
  readonly site: string;
  readonly kind: 'air' | 'camera' | 'gateway';
  readonly password: string;
  readonly host: string;
  readonly port: string;
  /** The port is one behind TLS. */
  readonly isSecure?: boolean;
}

/** The command that sends a first message as the device would: a reading of a station, a heartbeat of anything else. */
export function publishLine({ id, site, kind, password, host, port, isSecure = false }: Publishing): string {
  const isAir = kind === 'air';
  const topic = `pantau/v1/${site}/${id}/${isAir ? 'telemetry' : 'heartbeat'}`;
  const members = isAir ? '"values":{"pm25":12.5}' : '"state":"up"';
  // The shell puts the time in when the line is run.
  const message = `{"ts":"$(date -u +%FT%TZ)",${members}}`.replaceAll('"', String.raw`\"`);
  return [
    `mosquitto_pub -h ${quoted(host)} -p ${quoted(port)} -i ${id} -u ${id} -P ${quoted(password)}${isSecure ? ' --tls-use-os-certs' : ''}`,
    `-q 1 -t ${topic} -m "${message}"`,
  ].join(' ');
}

/** As a shell takes it, whatever is in it. */
const quoted = (text: string): string =>
  /^[\w.:-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
