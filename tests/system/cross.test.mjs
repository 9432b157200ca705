// The binaries of the packages for other processors, run by an emulator: a gateway on each takes an event and delivers it.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { BINARY, run, SECRET, startGateway, startProgram } from './harness.mjs';
import { unpack, VERSION } from './packages.mjs';

const PLATFORMS = [
  { architecture: 'arm64', machine: 'AArch64', emulator: 'qemu-aarch64-static', libraries: '/usr/aarch64-linux-gnu' },
  { architecture: 'armhf', machine: 'ARM', emulator: 'qemu-arm-static', libraries: '/usr/arm-linux-gnueabihf' },
];
const USER = '5f0d7c52-8d6b-4c0e-9a3d-6b1f2e7a9c04';
const PAYLOAD = '{"big":12345678901234567890,"text":"\\u00e9"}';

for (const { architecture, machine, emulator, libraries } of PLATFORMS) {
  test(`${architecture}: an event passes, over TLS`, async (t) => {
    const folder = await unpack(t, architecture);
    const binary = join(folder, 'usr/bin/roomcast');
    const header = (await run('readelf', ['--file-header', binary])).stdout;
    assert.match(header, new RegExp(`Machine: +${machine}\n`));

    // The emulator in front makes it a program of this machine.
    const emulated = join(folder, 'roomcast');
    writeFileSync(emulated, `#!/bin/sh\nexec ${emulator} -L ${libraries} ${binary} "$@"\n`, { mode: 0o755 });
    assert.equal((await run(emulated, ['--version'])).stdout, `roomcast ${VERSION}\n`);

    const gateway = await startGateway(t, {}, emulated);
    const tail = startProgram(t, BINARY, ['tail', '--url', gateway.consumerUrl, '--user', USER, '--count', '2', '--cacert', gateway.ca],
      { env: { WEBSOCKET_AUTH_TOKEN_SECRET: SECRET } });
    await tail.line((line) => line.includes('listening'));
    for (const publisher of [BINARY, emulated]) {
      await run(publisher, ['publish', '--url', gateway.producerUrl, '--target', USER, '--data', PAYLOAD, '--cacert', gateway.ca]);
    }
    assert.deepEqual(await tail.exit, [0, null], tail.text);
    const events = tail.text.split('\n').filter((line) => line.includes('"big":12345678901234567890,"text":"\\u00e9"'));
    assert.equal(events.length, 2, tail.text);
    assert.equal(await gateway.stop(), 0, gateway.program.text);
  });
}
