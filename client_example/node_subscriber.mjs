// Listens as one user with the stock socket.io client and prints each event as a line of JSON.
// Options are environment variables; README.md lists them.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { io } from 'socket.io-client';

const env = process.env;
const say = (words) => console.error(words);

function fail(words) {
  say(words);
  process.exit(1);
}

// SHA-512 of the secret and the UTC day, month and day without zero padding.
function dailyToken(secret, startHour) {
  const day = new Date(Date.now() - startHour * 3_600_000);
  const date = `${day.getUTCFullYear()}-${day.getUTCMonth() + 1}-${day.getUTCDate()}`;
  return createHash('sha512').update(secret + date).digest('hex');
}

async function fetchToken(url) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return (await answer.json()).token;
}

// A program that holds the secret computes its token; any other asks a service of yours, or is given a JWT.
function tokenSource() {
  if (env.ROOMCAST_TOKEN_URL) return () => fetchToken(env.ROOMCAST_TOKEN_URL);
  if (env.ROOMCAST_TOKEN) return async () => env.ROOMCAST_TOKEN;
  const secret = env.WEBSOCKET_AUTH_TOKEN_SECRET_FILE
    ? readFileSync(env.WEBSOCKET_AUTH_TOKEN_SECRET_FILE, 'utf8').replace(/[\r\n]+$/, '')
    : env.WEBSOCKET_AUTH_TOKEN_SECRET;
  if (!secret) return async () => undefined;
  const startHour = Number(env.WEBSOCKET_AUTH_TOKEN_RENEW_START_HOUR || 0);
  return async () => dailyToken(secret, startHour);
}

const url = env.ROOMCAST_URL || 'https://localhost:8443';
const user = env.ROOMCAST_USER || fail('ROOMCAST_USER is missing: the user, and so the room, to listen as');
const nextToken = tokenSource();

const socket = io(url, {
  query: { uniqueUserId: user },
  // A function, called at every connect: a daily token that was computed once is refused after midnight.
  auth: (send) => {
    nextToken().then(
      (token) => send({ token }),
      (error) => {
        say(`no token: ${error.message}`);
        // Without a token there is nothing to send; a closed transport makes the client come back by itself.
        socket.io.engine.close();
      },
    );
  },
  ...(env.ROOMCAST_TRANSPORTS && { transports: env.ROOMCAST_TRANSPORTS.split(',') }),
  ...(env.ROOMCAST_CA && { ca: readFileSync(env.ROOMCAST_CA) }),
});

socket.on('connect', () => say(`connected to ${url} by ${socket.io.engine.transport.name}, listening as ${user}`));
socket.on('disconnect', (reason) => say(`disconnected: ${reason}`));
socket.on('connect_error', (error) => {
  // While the socket is active the client tries again by itself. A refusal by the gateway ends that.
  if (!socket.active) fail(`refused: ${error.message}`);
  const cause = error.description?.message ?? error.context?.statusText?.message;
  say(`no connection: ${error.message}${cause ? ` (${cause})` : ''}`);
});
socket.onAny((event, ...args) => console.log(JSON.stringify({ time: new Date().toISOString(), event, args })));

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    socket.close();
    process.exitCode = 0;
  });
}
