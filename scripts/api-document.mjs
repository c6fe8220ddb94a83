/**
 * Writes the document of the API (OpenAPI 3.1) of this version: `node scripts/api-document.mjs FILE`, or on standard output.
 * Nothing is started for it.
 */
import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import { describeApi } from '#apps/gateway';

const [, , file] = process.argv;
const text = `${JSON.stringify(await describeApi(), null, 2)}\n`;
if (file === undefined) process.stdout.write(text);
else writeFileSync(file, text);
process.exit(0);
