// Listens as the user whose id, token and gateway your application keeps in cookies. Load the socket.io client first:
//
//   <script src="/socket.io.min.js"></script>
//   <script src="/cookie_client.js"></script>
'use strict';

{
  const RETRY_MS = 5000;
  const cookie = (name) => {
    const pair = document.cookie.split('; ').find((text) => text.startsWith(`${name}=`));
    return decodeURIComponent(pair?.slice(name.length + 1) ?? '');
  };
  const user = cookie('chat_uuid');
  const gateway = cookie('chat_server');

  if (user && gateway) {
    const socket = io(gateway, {
      query: { uniqueUserId: user }, // the room: without it the client is connected and hears nothing
      // A function, called at every connect: it sends the token that your application has put there since.
      auth: (send) => send({ token: cookie('auth_token') }),
      reconnectionDelay: RETRY_MS,
      reconnectionDelayMax: 2 * RETRY_MS,
    });
    socket.on('connect', () => console.log('connected'));
    socket.on(user, (event) => console.log('event', JSON.stringify(event))); // do something with the event here
    socket.on('connect_error', (error) => {
      console.warn(`no connection: ${error.message}`);
      // The client comes back by itself while it is active. The token was refused: perhaps the cookie is renewed soon.
      if (!socket.active) setTimeout(() => socket.connect(), RETRY_MS);
    });
  }
}
