import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './services.js';

/** PEM files. */
export interface CertificateFiles {
  readonly key: string;
  readonly cert: string;
}

export interface CertificateOptions {
  /** Names for the SAN: `DNS:…` or `IP:…`. */
  readonly names?: readonly string[];
  /** Ended in the year 2021. */
  readonly expired?: boolean;
}

/** An authority of its own in a temporary folder, made with the `openssl` command line. */
export interface CertificateAuthority extends Disposable {
  readonly cert: string;
  /** A key and a certificate for the common name. */
  issue(commonName: string, options?: CertificateOptions): CertificateFiles;
  /** @returns the list of everything that was revoked so far */
  revoke(...certificates: readonly CertificateFiles[]): string;
}

export function certificateAuthority(name: string): CertificateAuthority {
  const folder = temporaryFolder('ca');
  const file = (base: string): string => join(folder.path, base);
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: folder.path, stdio: 'pipe' });
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  writeFileSync(
    file('ca.cnf'),
    `[ca]
default_ca = authority
[authority]
database = index.txt
new_certs_dir = .
serial = serial
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 30
default_crl_days = 30
unique_subject = no
policy = any
[any]
commonName = supplied
[req]
distinguished_name = any
`,
  );
  writeFileSync(file('index.txt'), '');
  writeFileSync(file('serial'), '1000\n');
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-days',
    '30',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  );
  let issued = 0;
  return {
    cert: file('ca.pem'),
    issue(commonName, { names = [], expired = false } = {}) {
      const base = `${++issued}`;
      const [key, request, cert] = [`${base}.key`, `${base}.csr`, `${base}.pem`];
      const san = names.length === 0 ? [] : ['-addext', `subjectAltName=${names.join(',')}`];
      openssl(
        'req',
        '-new',
        ...newKey,
        '-subj',
        `/CN=${commonName}`,
        ...san,
        '-keyout',
        key,
        '-out',
        request,
      );
      writeFileSync(file(`${base}.ext`), names.length === 0 ? '' : `subjectAltName=${names.join(',')}\n`);
      const period = expired ? ['-startdate', '200101000000Z', '-enddate', '210101000000Z'] : [];
      openssl(
        ...['ca', '-batch', '-notext', '-config', 'ca.cnf', '-extfile', `${base}.ext`, ...period],
        ...['-in', request, '-out', cert],
      );
      return { key: file(key), cert: file(cert) };
    },
    revoke(...certificates) {
      for (const { cert } of certificates) openssl('ca', '-config', 'ca.cnf', '-revoke', cert);
      openssl('ca', '-config', 'ca.cnf', '-gencrl', '-out', 'crl.pem');
      return file('crl.pem');
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}
