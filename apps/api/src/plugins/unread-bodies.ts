import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

/** So much of a refused body is still taken in. */
const MAX_BYTES = 64 * 1024 ** 2;
const MAX_MS = 30_000;

/**
 * Takes in the rest of a body that was refused. Closing the connection at once would reset it, and the client, still
 * sending, would never see why it was refused.
 */
export const unreadBodies = fastifyPlugin(
  async (app: FastifyInstance) => {
    app.addHook('onSend', (request, reply, payload, done) => {
      if (!request.raw.complete) {
        reply.removeHeader('connection');
        // Also where the client asked for it to be closed: it will do so itself, once it has read the answer.
        reply.raw.shouldKeepAlive = true;
      }
      done(null, payload);
    });
    app.addHook('onResponse', ({ raw }, _reply, done) => {
      done();
      if (raw.complete || raw.destroyed) return;
      let left = MAX_BYTES;
      const timer = setTimeout(() => raw.destroy(), MAX_MS);
      for (const over of ['end', 'close']) raw.once(over, () => clearTimeout(timer));
      raw.on('data', (chunk: Buffer) => {
        left -= chunk.length;
        if (left < 0) raw.destroy();
      });
      raw.unpipe();
      raw.resume();
    });
  },
  { name: 'unread-bodies' },
);
