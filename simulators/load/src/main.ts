/** Runs a load in a process of its own: options as JSON in the file named by the first argument, the report as one line of JSON. */
import { FILE_BOUNDS, parseJson } from '#libs/kernel';
import { readFileSync } from 'node:fs';
import { runLoad, type LoadOptions } from './load.js';

const [, , file = ''] = process.argv;
const options = parseJson(readFileSync(file), FILE_BOUNDS, file) as LoadOptions;
process.stdout.write(`${JSON.stringify(await runLoad(options))}\n`);
