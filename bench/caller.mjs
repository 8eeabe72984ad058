// Calls with one key, on several connections at once, with as little work as can be. Any answer but
// a 200 is an error, and the origin's body has to be `ok`.
import { connect } from "node:net";

const CONNECTIONS = 16;

export class Caller {
  #request;
  #port;

  constructor(url, secret) {
    this.#port = Number(new URL(url).port);
    this.#request = `GET /x HTTP/1.1\r\nhost: localhost\r\nx-api-key: ${secret}\r\n\r\n`;
  }

  async calls(count) {
    // New connections each time: the runtime closes those that were idle for some seconds.
    const sockets = Array.from({ length: CONNECTIONS }, () => connect({ port: this.#port, host: "127.0.0.1", noDelay: true }));
    let left = count;
    try {
      await Promise.all(sockets.map((socket) => this.#lane(socket, () => left-- > 0)));
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  }

  #lane(socket, more) {
    return new Promise((resolve, reject) => {
      let received = "";
      const next = () => (more() ? socket.write(this.#request) : end());
      const end = (error) => {
        socket.removeAllListeners("data").removeAllListeners("close");
        if (error) reject(error);
        else resolve();
      };
      socket.on("close", () => end(new Error("a connection has ended")));
      socket.on("data", (chunk) => {
        received += chunk;
        if (received.includes("\r\n\r\n") && !received.startsWith("HTTP/1.1 200 ")) return end(new Error(received));
        if (!received.endsWith("\r\n\r\nok")) return;
        received = "";
        next();
      });
      next();
    });
  }
}
