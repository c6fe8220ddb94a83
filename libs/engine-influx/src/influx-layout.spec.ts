import { PARAMETER_CODES } from '#libs/telemetry';

it('can name every parameter as a field of InfluxDB, unescaped and apart from all others', () => {
  const taken = new Set(['time', 'device', 'site', 'receivedAt']);
  for (const parameter of PARAMETER_CODES) {
    expect(parameter).toMatch(/^[a-z][a-z0-9_]*$/);
    const names = ['', '_flag', '_expected', '_received', '_valid', '_mean', '_min', '_max'];
    for (const name of names.map((suffix) => parameter + suffix)) {
      expect(taken).not.toContain(name);
      taken.add(name);
    }
  }
});
