// Stock socket.io clients, driven by the integration tests: options come as one JSON argument, what happens goes to
// standard output as JSON lines, and the process ends when its standard input does.
//
// options: url, rooms (one client each), client (the package, of its newest version if unset), transports, ca (PEM),
// query, closeEachRequest, extraHeaders; auth, or token, or tokenFile, which is read at every connect; collect: instead
// of a line for each event, one line for all, with the `number` of each, once one that is the `last` has come;
// packets: a line for each Socket.IO packet too, as its text came;
// connectAgainAfter (ms: what the page does about a refusal after which the client does not come back by itself)
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

const options = JSON.parse(process.argv[2]);
const { io } = createRequire(import.meta.url)(options.client ?? 'socket.io-client');
const agentKind = options.url.startsWith('https') ? https : http;
const say = (client, what) => process.stdout.write(`${JSON.stringify({ client, ...what })}\n`);
const freshAuth = (send) => send({ token: readFileSync(options.tokenFile, 'utf8') });

options.rooms.forEach((room, client) => {
  const socket = io(options.url, {
    forceNew: true,
    transports: options.transports,
    query: { ...options.query, ...(room === null ? {} : { uniqueUserId: room }) },
    auth: options.tokenFile ? freshAuth : (options.auth ?? { token: options.token }),
    ca: options.ca,
    reconnectionDelay: 100,
    reconnectionDelayMax: 500,
    ...(options.closeEachRequest && { agent: new agentKind.Agent({ keepAlive: false }) }),
    ...(options.extraHeaders && { extraHeaders: options.extraHeaders }),
  });
  const numbers = [];
  socket.io.on('open', () => {
    if (options.packets) {
      socket.io.engine.on('packet', ({ type, data }) => type === 'message' && say(client, { packet: data }));
    }
    socket.io.engine.on('upgrade', (transport) => say(client, { upgraded: transport.name, after: numbers.length }));
  });
  socket.on('connect', () => say(client, { connected: socket.io.engine.transport.name }));
  socket.on('connect_error', (error) => {
    say(client, { refused: error.message, data: error.data, active: socket.active });
    if (!socket.active && options.connectAgainAfter) setTimeout(() => socket.connect(), options.connectAgainAfter);
  });
  socket.on('disconnect', (reason) => say(client, { disconnected: reason, active: socket.active }));
  socket.onAny((event, ...data) => {
    if (!options.collect) say(client, { event, data });
    else if (data[0].last) say(client, { numbers });
    else numbers.push(data[0].number);
  });
});

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
