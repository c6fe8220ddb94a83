/**
 * What Pantau replaces, as one would write it in an afternoon: subscribes, reads JSON, writes points through the official client with its
 * defaults. No PUBACK waits for it, nothing is tested, and what is in its buffer when it ends is lost.
 */
import { InfluxDB, Point } from '@influxdata/influxdb-client';
import { connectAsync } from 'mqtt';
import { once } from 'node:events';

const [{ mqttPort, influxUrl, database }] = await once(process, 'message');
const writeApi = new InfluxDB({ url: influxUrl }).getWriteApi('', database, 'ms');
// InfluxDB 1.x has the same lines at another address.
writeApi.path = `/write?db=${database}&precision=ms`;
const client = await connectAsync({ port: mqttPort, host: '127.0.0.1', clientId: 'peer' });
client.on('message', (topic, payload) => {
  const [, , site, device] = topic.split('/');
  const { ts, values } = JSON.parse(payload.toString());
  const point = new Point('reading').tag('site', site).tag('device', device).timestamp(ts);
  for (const [parameter, value] of Object.entries(values)) point.floatField(parameter, value);
  writeApi.writePoint(point);
});
await client.subscribeAsync('pantau/v1/+/+/telemetry', { qos: 1 });
process.send('ready');
