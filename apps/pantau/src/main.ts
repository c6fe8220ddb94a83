#!/usr/bin/env -S node --single-threaded-gc
import 'reflect-metadata';
import { FILE_BOUNDS, messageOf, parseJson } from '#libs/kernel';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE, program } from './program.js';

/** As a shell says it of a program that SIGPIPE ended. */
const BROKEN_PIPE = 141;

// Passwords, tokens and a signing secret are among what Pantau writes: its owner's alone, in every thread.
process.umask(0o077);

// Whoever read the output is gone (`| head`). What the command does is done all the same, and a server goes on.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exitCode ??= BROKEN_PIPE;
  });

try {
  const { version } = parseJson(readFileSync(join(PACKAGE, 'package.json')), FILE_BOUNDS, 'package.json') as {
    version: string;
  };
  await program.version(version, '-V, --version', 'versi / version').parseAsync();
} catch (error) {
  process.exitCode = 1;
  process.stderr.write(`pantau: ${messageOf(error)}\n`);
}
