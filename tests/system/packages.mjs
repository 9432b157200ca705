// The packages that `make packages` built, and the version that they must have.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { makeFolder, REPOSITORY, run } from './harness.mjs';

export const PACKAGES = join(REPOSITORY, 'target/packages');
export const VERSION = readFileSync(join(REPOSITORY, 'Cargo.toml'), 'utf8').match(/^version = "(.+)"$/m)[1];

export function packageOf(architecture) {
  const path = join(PACKAGES, `roomcast_${VERSION}-1_${architecture}.deb`);
  assert.ok(existsSync(path), `${path} is missing: run \`make packages\``);
  return path;
}

// What the package holds, in a folder of the test's own.
export async function unpack(t, architecture) {
  const folder = makeFolder(t);
  await run('dpkg-deb', ['--extract', packageOf(architecture), folder]);
  return folder;
}
