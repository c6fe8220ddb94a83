/** Runs a load in a process of its own: options as JSON in the file named by the first argument, the report as one line of JSON. */
import { readFileSync } from 'node:fs';
import { runLoad, type LoadOptions } from './load.js';

const [, , file = ''] = process.argv;
const options = JSON.parse(readFileSync(file, 'utf8')) as LoadOptions;
process.stdout.write(`${JSON.stringify(await runLoad(options))}\n`);
